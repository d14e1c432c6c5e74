import { problems } from '#base/problem';

export const tenancyProblem = problems({
  'field-type-changed': { status: 409, title: 'A stored field cannot change its type' },
  'purposes-exhausted': { status: 409, title: 'There is no login left for another purpose' },
  'tenant-unknown': { status: 404, title: 'There is no such service here' },
});
