import { problems } from '#base/problem';

export const mailProblem = problems({
  'mail-not-taken': { status: 503, title: 'The mail server did not take the letter' },
});
