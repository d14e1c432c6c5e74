import { problems } from '#base/problem';

export const retentionProblem = problems({
  'retention-not-chosen': { status: 422, title: 'The policy does not offer this retention' },
  'retention-body-broken': { status: 422, title: 'This choice of retention cannot be read' },
  'data-not-archived': { status: 404, title: 'This data has no archive' },
  'import-not-understood': { status: 422, title: 'These rows cannot be imported' },
});
