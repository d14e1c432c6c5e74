import { problems } from '#base/problem';

export const removalProblem = problems({
  'removal-not-confirmed': { status: 422, title: 'Name the service again to take it out' },
  'removal-held': { status: 409, title: 'A hold stands in this service' },
});
