/** `troth keys`: the state of the keyring, rotation now, and the recovery kit, made and used. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { cliProblem } from './errors.ts';
import { askServer } from './running-server.ts';
import { type Answer, type Command, type Invocation, table, Usage } from './terminal.ts';

export const keysCommand: Command = {
  takes:
    'status | rotate | recovery-kit --out FILE [--shares N --threshold M] | restore [KIT…] [--copy DIR]',
  does: 'look at the keyring, rotate it, write its recovery kit, restore it with the kit',
  async run(invocation) {
    const [what = 'status'] = invocation.names;
    if (what === 'recovery-kit') return writeKit(invocation);
    // Loaded here: nothing else of the command line needs the keeper's code.
    if (what === 'restore') return (await import('./restore-keys.ts')).restoreKeys(invocation);
    if (what !== 'status' && what !== 'rotate') {
      throw new Usage(`"${what}" is not something keys can do`);
    }
    const method = what === 'status' ? 'GET' : 'POST';
    const said = await askServer(invocation.dataDir, method, `/v1/operator/keys/${what}`);
    return { json: said, text: inRows(said as Record<string, unknown>) };
  },
};

const inRows = (said: Record<string, unknown>) =>
  table(
    Object.entries(said).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join('; ') || 'none' : String(value),
    ]),
  );

type Kit = { kit: string; lines: string[] };

/** The parts that the kit is split into, when it is. */
function partsOf({ shares, threshold }: Invocation['options']) {
  if (shares === undefined && threshold === undefined) return undefined;
  const parts = { shares: Number(shares), threshold: Number(threshold) };
  const { shares: all, threshold: enough } = parts;
  const whole = Number.isInteger(all) && Number.isInteger(enough);
  if (whole && enough >= 2 && enough <= all && all <= 20) return parts;
  throw new Usage('split it as --shares N --threshold M, with 2 ≤ M ≤ N ≤ 20');
}

/** Into a file, or with --json to standard output: for a program that hands the shares out. */
async function writeKit(invocation: Invocation): Promise<Answer> {
  const { out, json } = invocation.options;
  const parts = partsOf(invocation.options);
  if (!out && !json) throw new Usage('say where to write it: --out FILE');
  // Opened first: a new kit makes the one before worthless, so it must have a place to go.
  const file = out === undefined ? undefined : openNew(out);
  let made: Kit;
  try {
    const path = '/v1/operator/keys/recovery-kit';
    made = (await askServer(invocation.dataDir, 'POST', path, { parts })) as Kit;
  } catch (error) {
    if (file !== undefined) closeSync(file);
    if (out !== undefined) rmSync(out);
    throw error;
  }
  const threshold = parts?.threshold ?? 1;
  if (file === undefined || out === undefined) {
    return { json: { threshold, shares: made.lines, kit: made.kit }, text: made.kit };
  }
  writeSync(file, `${made.kit}\n`);
  closeSync(file);
  return {
    json: { threshold, shares: made.lines, out },
    text: `${out} opens every key: print it, store it apart, remove the file.`,
  };
}

function openNew(path: string): number {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const why = code === 'EEXIST' ? 'it is there already' : `it cannot be written (${code})`;
    throw cliProblem('file-not-written', `${path}: ${why}`);
  }
}
