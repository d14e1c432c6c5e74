import { problems } from '#base/problem';

export const eventsProblem = problems({
  'events-unavailable': { status: 503, title: 'The event store does not answer' },
  'events-refused': { status: 500, title: 'The event store refused a statement' },
});
