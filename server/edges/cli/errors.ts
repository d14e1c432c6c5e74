import { problems } from '#base/problem';

export const cliProblem = problems({
  'command-not-understood': { status: 400, title: 'The command was not understood' },
  'policy-unfilled': { status: 409, title: 'The policy has places to fill in' },
  'file-not-written': { status: 409, title: 'The file could not be written' },
  'promise-not-made': { status: 404, title: 'No policy here makes that promise' },
  'server-not-running': { status: 503, title: 'No server runs on this data directory' },
  'server-answer-unknown': { status: 502, title: 'The server answered in an unknown way' },
});
