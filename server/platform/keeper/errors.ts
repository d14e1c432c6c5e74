import { problems } from '#base/problem';

export const keeperProblem = problems({
  'keeper-unavailable': { status: 503, title: 'The keeper of the keys does not answer' },
  'keyring-refused': { status: 503, title: 'The keyring cannot be used as it is' },
  'keyring-copy-missing': { status: 503, title: 'The second copy of the keyring is out of reach' },
  'keyring-call-invalid': { status: 500, title: 'The keeper was asked something it does not know' },
  'recovery-kit-invalid': { status: 422, title: 'The recovery kit does not open this keyring' },
});
