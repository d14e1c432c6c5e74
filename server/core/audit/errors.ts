import { problems } from '#base/problem';

export const auditProblem = problems({
  'journal-not-durable': { status: 503, title: 'The forget journal could not be written' },
  'audit-log-unwritable': { status: 503, title: 'The audit log cannot be written' },
  'audit-log-damaged': { status: 503, title: 'The audit log is not what was signed' },
});
