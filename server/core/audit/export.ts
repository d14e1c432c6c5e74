/**
 * An audit export: one file that holds a tenant's whole log and proves itself. The first line is a
 * signed document with the checkpoint; each further line is one entry in order, in the very bytes
 * that its hash is made of, or `#` and the hash where the body was cut off.
 */
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '#base/clock';
import type { Signer } from '#base/ed25519';
import type { TenantId } from '#base/ids';
import { leafHash, openFrontier } from '#base/merkle';
import { signDocument, type VerifiedDocument } from '#base/signed-document';
import { openCheckpoint, parseCheckpoint } from '#base/signed-note';
import { CHECKPOINT, checkLog, readIfThere, TILE_HASHES } from '#platform/tiles';
import { floorReader } from './log-start.ts';
import { openTenantLog } from './log-view.ts';

export const EXPORT_KIND = 'audit-export';

type Header = { tenant: string; exportedAt: string; checkpoint: string };

export type ExportOptions = {
  readonly auditDir: string;
  readonly tenant: TenantId;
  readonly signer: Signer;
  readonly clock: Clock;
};

/** The lines of an export, some at a time, each with its newline. None before the first entry. */
export async function* exportLog(options: ExportOptions): AsyncGenerator<Buffer> {
  const { auditDir, tenant, signer, clock } = options;
  const log = openTenantLog(auditDir, tenant);
  if (!log) return;
  const exportedAt = clock.now().toISOString();
  const header: Header = { tenant, exportedAt, checkpoint: log.note };
  const signed = await signDocument(EXPORT_KIND, header, signer);
  yield Buffer.from(`${JSON.stringify(signed)}\n`);
  for (let at = 0; at < log.size; at += TILE_HASHES) {
    const reader = log.read();
    const lines: Buffer[] = [];
    for (let index = at; index < Math.min(log.size, at + TILE_HASHES); index += 1) {
      const entry = reader.entry(index);
      lines.push(entry.length > 0 ? entry : Buffer.from(hashLine(reader.leafHash(index))));
      lines.push(Buffer.from('\n'));
    }
    yield Buffer.concat(lines);
    await turn();
  }
}

const HASH_LINE = 0x23;
const hashLine = (hash: Buffer) => `#${hash.toString('base64')}`;

export type LogVerdict =
  | {
      readonly tenant: string;
      readonly origin: string;
      readonly size: number;
      readonly root: Buffer;
      /** Entries whose body was cut off when its time was over. */
      readonly cut: number;
    }
  | { readonly wrong: string };

/**
 * Verifies an export: every entry is in the tree of the signed checkpoint, in its place, and
 * nothing else is; and the tree begins with all of an earlier one. Memory does not grow with it.
 *
 * @param header  The first line, verified.
 * @param lines   The further lines, without their newlines.
 * @param since   A checkpoint note that was kept from before.
 */
export async function verifyExport(
  header: VerifiedDocument,
  lines: AsyncIterable<readonly Buffer[]>,
  since?: string,
): Promise<LogVerdict> {
  const { tenant, checkpoint: note } = (header.document ?? {}) as Partial<Header>;
  const checkpoint = openCheckpoint(String(note), header.publicKey);
  if (!checkpoint) return { wrong: 'the checkpoint is not signed by the key of the export' };
  const { origin, size, root } = checkpoint;
  if (!origin.endsWith(`/${tenant}`)) return { wrong: 'the checkpoint is of another log' };
  const earlier = since === undefined ? undefined : openSince(since, header.publicKey, origin);
  if (earlier && 'wrong' in earlier) return earlier;
  if (earlier && earlier.size > size) return { wrong: 'the log is shorter than it once was' };
  const tree = openFrontier();
  const cuts = floorReader();
  let cut = { count: 0, last: -1 };
  const forks = () => earlier?.size === tree.size && !tree.root().equals(earlier.root);
  if (forks()) return { wrong: 'the log is not the one of the earlier checkpoint' };
  for await (const group of lines) {
    for (const line of group) {
      if (tree.size >= size) return { wrong: 'there is more than was signed' };
      if (line[0] === HASH_LINE) {
        const hash = Buffer.from(line.toString('latin1', 1), 'base64');
        if (hashLine(hash) !== line.toString('latin1') || hash.length !== 32)
          return { wrong: `line ${tree.size + 2} is not an entry` };
        cut = { count: cut.count + 1, last: tree.size };
        tree.push(hash);
      } else {
        cuts.see(tree.size, line);
        tree.push(leafHash(line));
      }
      if (forks()) return { wrong: 'the log is not the one of the earlier checkpoint' };
    }
  }
  if (tree.size < size) return { wrong: `${size - tree.size} entries are missing at the end` };
  if (!tree.root().equals(root)) return { wrong: 'an entry was changed, dropped or moved' };
  if (cut.last >= cuts.floor())
    return { wrong: `entry ${cut.last} lost its body and no cut says so` };
  return { tenant: String(tenant), origin, size, root, cut: cut.count };
}

type Since = { size: number; root: Buffer };

/** An earlier checkpoint of the same log, by the same key. */
export function openSince(
  note: string,
  publicKey: Uint8Array,
  origin: string,
): Since | { wrong: string } {
  const found = openCheckpoint(note, publicKey);
  if (!found) {
    const readable = parseCheckpoint(note.slice(0, note.lastIndexOf('\n\n') + 1));
    const why = readable ? 'is signed by another key' : 'is none';
    return { wrong: `the earlier checkpoint ${why}` };
  }
  return found.origin === origin ? found : { wrong: 'the earlier checkpoint is of another log' };
}

/** Verifies a folder of tiles as `verifyExport` does a file. */
export async function verifyFolder(
  dir: string,
  { publicKey, since }: { publicKey: Uint8Array; since: string | undefined },
): Promise<LogVerdict> {
  const note = await readIfThere(join(dir, CHECKPOINT));
  const signed = openCheckpoint(note?.toString('utf8') ?? '', publicKey);
  if (!signed) return { wrong: 'its checkpoint is missing, or not signed by the key' };
  const { origin } = signed;
  const earlier = since === undefined ? undefined : openSince(since, publicKey, origin);
  if (earlier && 'wrong' in earlier) return earlier;
  const cuts = floorReader();
  const checked = await checkLog(dir, {
    origin,
    publicKey,
    since: since === undefined ? [] : [since],
    onEntry: (index, entry) => cuts.see(index, entry),
  });
  if (checked === 'empty') return { wrong: 'it is empty' };
  if ('fault' in checked) return { wrong: `${checked.fault} at ${checked.where}` };
  const { checkpoint, cut } = checked;
  if (cut.last >= cuts.floor())
    return { wrong: `entry ${cut.last} lost its body and no cut says so` };
  const tenant = origin.slice(origin.lastIndexOf('/') + 1);
  return { tenant, origin, size: checkpoint.size, root: checkpoint.root, cut: cut.count };
}
