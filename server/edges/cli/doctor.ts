/** `troth doctor`: what is wrong here, and what to type about it. */
import { statSync } from 'node:fs';
import { Problem } from '#base/problem';
import { askServer, isServerKnown } from './running-server.ts';
import { type Command, type Invocation, paint, Refused } from './terminal.ts';

type Ailment = { severity: 'wrong' | 'warning'; what: string; type: string };

const MODE_OTHERS = 0o077;

/** What can be seen without a server: the folder, and whether anything answers. */
async function ailmentsOutside({ dataDir }: Invocation): Promise<Ailment[]> {
  const found: Ailment[] = [];
  const mode = statSync(dataDir, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) {
    const what = `there is no data directory at ${dataDir}`;
    return [{ severity: 'wrong', what, type: 'npm start' }];
  }
  if ((mode & MODE_OTHERS) !== 0) {
    const what = 'other users of this machine may enter the data directory';
    found.push({ severity: 'wrong', what, type: `chmod 700 ${dataDir}` });
  }
  if (!isServerKnown(dataDir)) {
    found.push({ severity: 'wrong', what: 'no server was started here', type: 'npm start' });
  }
  return found;
}

async function ailmentsInside({ dataDir }: Invocation): Promise<Ailment[]> {
  if (!isServerKnown(dataDir)) return [];
  try {
    const answer = await askServer(dataDir, 'GET', '/v1/operator/doctor');
    return (answer as { ailments: Ailment[] }).ailments;
  } catch (error) {
    if (!(error instanceof Problem || error instanceof Refused)) throw error;
    const what = error instanceof Refused ? 'the server refuses the command line' : error.detail;
    return [{ severity: 'wrong', what, type: 'npm start' }];
  }
}

export const doctorCommand: Command = {
  takes: '',
  does: 'say what is wrong here, and what to type about it',
  async run(invocation) {
    const ailments = [
      ...(await ailmentsOutside(invocation)),
      ...(await ailmentsInside(invocation)),
    ];
    const lines = ailments.map(({ severity, what, type }) => {
      const mark = severity === 'wrong' ? '▲ wrong  ' : '○ warning';
      const colour = severity === 'wrong' ? 'red' : 'amber';
      return `${paint(invocation, colour, mark)} ${what}\n            → ${type}`;
    });
    return {
      text: lines.length > 0 ? lines.join('\n') : 'Nothing is wrong that can be seen from here.',
      json: { ailments },
      no: ailments.some(({ severity }) => severity === 'wrong'),
    };
  },
};
