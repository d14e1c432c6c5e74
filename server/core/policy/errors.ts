import { problems } from '#base/problem';

export const policyProblem = problems({
  'service-being-removed': { status: 409, title: 'This service is being taken out' },
  forbidden: { status: 403, title: 'Not allowed' },
  'policy-has-errors': { status: 422, title: 'The policy has open errors; nothing was applied' },
  'policy-notice-not-run': { status: 409, title: 'The promised notice has not run yet' },
  'policy-reason-missing': { status: 422, title: 'A change of a policy has a reason' },
  'policy-version-reused': { status: 409, title: 'Another document has this version already' },
});
