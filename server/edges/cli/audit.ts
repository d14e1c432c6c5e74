/** `troth audit`: a tenant's log as one file that proves itself, or as a folder of tiles. */
import { createWriteStream, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseCheckpoint } from '#base/signed-note';
import type { AuditHealth } from '#core/audit';
import { CHECKPOINT, levelsOf, TILE_HASHES, tilePath, widthIn } from '#platform/tiles';
import { cliProblem } from './errors.ts';
import { askServer, fetchServer } from './running-server.ts';
import { type Answer, type Command, type Invocation, Usage } from './terminal.ts';

export const auditCommand: Command = {
  takes: 'export --tenant T --out FILE|DIR/ | health',
  does: 'write a service’s audit log, to be checked anywhere with: troth verify',
  async run(invocation) {
    const [what = ''] = invocation.names;
    if (what === 'health') return health(invocation);
    if (what !== 'export') throw new Usage(`"${what}" is not something audit can do`);
    const { tenant, out } = invocation.options;
    if (!tenant || !out) throw new Usage('say which and where to: --tenant T --out FILE|DIR/');
    if (existsSync(out)) throw cliProblem('file-not-written', `${out}: it is there already`);
    const base = `/v1/t/${encodeURIComponent(tenant)}/audit`;
    const answer = await fetchServer(invocation.dataDir, `${base}/export`);
    const body = Readable.fromWeb(answer.body as never);
    if (out.endsWith('/')) await writeFolder(invocation, { base, out, body });
    else await pipeline(body, createWriteStream(out, { mode: 0o600, flags: 'wx' }));
    const text = `${out} holds the log of ${tenant}. Check it with: troth verify ${out}`;
    return { text, json: { tenant, out } };
  },
};

async function health(invocation: Invocation): Promise<Answer> {
  const path = '/v1/operator/audit/health';
  const json = (await askServer(invocation.dataDir, 'GET', path)) as AuditHealth;
  const lines = json.failures.map(
    ({ tenant, failure, place }) => `${tenant}: ${failure} at ${place}`,
  );
  const well = 'every log can be written, and was what was signed when this start read it whole';
  const text = [...(lines.length > 0 ? lines : [well]), `${json.waiting} entries wait`].join('\n');
  return { text, json, no: lines.length > 0 };
}

async function firstLine(body: Readable): Promise<string> {
  let text = '';
  for await (const chunk of body) {
    text += String(chunk);
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end);
  }
  throw cliProblem('server-not-running', 'it stopped in the middle');
}

/** The tree of the signed checkpoint, laid out as the log itself is. */
async function writeFolder(
  { dataDir }: Invocation,
  { base, out, body }: { base: string; out: string; body: Readable },
): Promise<void> {
  const header = await firstLine(body);
  const { document } = JSON.parse(header) as { document: { checkpoint: string } };
  const { checkpoint: note } = document;
  const size = parseCheckpoint(note.slice(0, note.lastIndexOf('\n\n') + 1))?.size ?? 0;
  mkdirSync(out, { recursive: true, mode: 0o700 });
  for (const { level, count } of levelsOf(size)) {
    for (let index = 0; index * TILE_HASHES < count; index += 1) {
      const path = tilePath({ level, index, width: widthIn(size, { level, index }) });
      const answer = await fetchServer(dataDir, `${base}/${path}`);
      mkdirSync(dirname(join(out, path)), { recursive: true, mode: 0o700 });
      writeFileSync(join(out, path), Buffer.from(await answer.arrayBuffer()), { mode: 0o600 });
    }
  }
  writeFileSync(join(out, 'export.json'), `${header}\n`, { mode: 0o600 });
  // Last: a folder that was cut short is none.
  writeFileSync(join(out, CHECKPOINT), note, { mode: 0o600 });
}
