import { problems } from '#base/problem';

export const runtimeProblem = problems({
  'child-did-not-start': { status: 503, title: 'A part of the server did not start' },
  'data-directory-in-use': { status: 409, title: 'Another server owns this data directory' },
  'data-directory-newer': { status: 409, title: 'The data was written by a newer version' },
  'data-without-keys': { status: 409, title: 'The data is here, its keys are not' },
  'port-taken': { status: 409, title: 'The port is in use by another program' },
});
