/** `troth operator link`: a new link to the console, for whoever lost theirs. */
import { addressOf, askServer } from './running-server.ts';
import { type Command, Usage } from './terminal.ts';

export const operatorCommand: Command = {
  takes: 'link',
  does: 'make a new link that opens the console once',
  async run({ names, dataDir }) {
    if (names.join(' ') !== 'link') throw new Usage('the one thing to ask for is: operator link');
    const answer = await askServer(dataDir, 'POST', '/v1/operator/links', {});
    const { path, days } = answer as { path: string; days: number };
    const link = new URL(path, addressOf(dataDir)).href;
    return { text: `${link}\nIt works once, within ${days} days.`, json: { link, days } };
  },
};
