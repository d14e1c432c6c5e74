import { problems } from '#base/problem';

export const policyProblem = problems({
  forbidden: { status: 403, title: 'Not allowed' },
  'policy-has-errors': { status: 422, title: 'The policy has open errors; nothing was applied' },
});
