/** `troth keys`: the state of the keyring, rotation now, and the recovery kit. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { askServer } from './running-server.ts';
import { type Command, Usage } from './terminal.ts';

export const keysCommand: Command = {
  takes: 'status | rotate | recovery-kit --out FILE',
  does: 'look at the keyring, rotate it, write its recovery kit',
  async run(invocation) {
    const [what = 'status'] = invocation.names;
    if (what === 'status' || what === 'rotate') {
      const method = what === 'status' ? 'GET' : 'POST';
      const answer = await askServer(invocation.dataDir, method, `/v1/operator/keys/${what}`);
      invocation.print(JSON.stringify(answer.body, null, invocation.options.json ? 0 : 2));
      return answer.status < 300 ? 0 : 1;
    }
    if (what !== 'recovery-kit') throw new Usage(`"${what}" is not something keys can do`);
    const { out } = invocation.options;
    if (!out) throw new Usage('say where to write it: --out FILE');
    // Opened first: a new kit makes the one before worthless, so it must have a place to go.
    const file = openNew(out);
    const answer = await askServer(invocation.dataDir, 'POST', '/v1/operator/keys/recovery-kit');
    if (answer.status >= 300) {
      invocation.complain('the server refused to write the kit');
      return 1;
    }
    writeSync(file, `${(answer.body as { kit: string }).kit}\n`);
    closeSync(file);
    invocation.print(`${out} opens every key: print it, store it apart, remove the file.`);
    return 0;
  },
};

function openNew(path: string): number {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const why = code === 'EEXIST' ? 'it is there already' : `it cannot be written (${code})`;
    throw new Usage(`${path}: ${why}`);
  }
}
