import { problems } from '#base/problem';

export const auditProblem = problems({
  'journal-not-durable': { status: 503, title: 'The forget journal could not be written' },
});
