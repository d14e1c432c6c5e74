import { problems } from '#base/problem';

export const tenancyProblem = problems({
  'field-type-changed': { status: 409, title: 'A stored field cannot change its type' },
  'tenant-unknown': { status: 404, title: 'There is no such service here' },
});
