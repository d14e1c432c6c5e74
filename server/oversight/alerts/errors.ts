import { problems } from '#base/problem';

export const alertProblem = problems({
  'alert-not-taken': { status: 503, title: 'The webhook did not take the alert' },
});
