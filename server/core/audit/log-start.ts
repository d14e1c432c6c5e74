/**
 * Opens a tenant's log: reads all of it once and compares it with the checkpoint that was signed,
 * with the second copy of that, and with what PostgreSQL knows. Nothing is appended to a log that
 * is not what it was.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { TenantId } from '#base/ids';
import type { Database } from '#platform/database';
import {
  type CheckedLog,
  checkLog,
  type LogFault,
  type LogPlace,
  logOf,
  newLog,
  type OpenLog,
  openLogReader,
  readIfThere,
  removeStrays,
} from '#platform/tiles';
import * as store from './tree-store.ts';

const HASH_BYTES = 32;
const FILL_LEAVES = 10_000;

export type Fault = {
  readonly fault: LogFault['fault'] | 'database-differs' | 'entry-changed' | 'entry-missing';
  readonly where: string;
};

type Given = {
  readonly db: Pick<Database, 'sql'>;
  readonly tenant: TenantId;
  readonly origin: string;
  readonly place: LogPlace;
};

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest();

/** Compares each tile of leaves with the digests that PostgreSQL makes of its own. */
function comparer(digests: readonly store.LeafDigest[]) {
  let differs: number | undefined;
  return {
    see({ index, hashes }: { index: number; hashes: Buffer }): void {
      const known = digests[index];
      if (!known || differs !== undefined) return;
      const ours = sha256(hashes.subarray(0, known.count * HASH_BYTES));
      if (!ours.equals(known.digest)) differs = index;
    },
    differs: () => differs,
  };
}

/** Read before the root is known to be right: it may be anything. */
function floorOf(text: string): unknown {
  try {
    const { event, fields } = JSON.parse(text) as { event?: unknown; fields?: { floor?: unknown } };
    return event === 'audit.cut' ? fields?.floor : undefined;
  } catch {
    return undefined;
  }
}

/** The last `audit.cut` says below which index a body may be missing; it is in the log itself. */
export function floorReader() {
  let floor = 0;
  return {
    see(_: number, entry: Buffer): void {
      if (!entry.includes('"event":"audit.cut"')) return;
      const said = floorOf(entry.toString('utf8'));
      if (Number.isSafeInteger(said)) floor = Math.max(floor, Number(said));
    },
    floor: () => floor,
  };
}

/** Gives PostgreSQL the leaves that the log has and it has not: a restore, or a crash in between. */
async function fillLeaves({ db, tenant, place }: Given, from: number, to: number): Promise<void> {
  const reader = openLogReader(place.dir, to);
  for (let at = from; at < to; at += FILL_LEAVES) {
    const end = Math.min(to, at + FILL_LEAVES);
    const hashes = Buffer.concat(
      Array.from({ length: end - at }, (_, leaf) => reader.leafHash(at + leaf)),
    );
    await db.sql.begin(async (tx) => {
      await store.insertLeaves(tx, { tenant, from: at, hashes });
    });
  }
  await store.forgetKnown(db.sql, tenant);
}

/** Brings PostgreSQL up to a log that is ahead of it. */
export async function catchUpLeaves(given: Given, size: number): Promise<void> {
  const digests = await store.readLeafDigests(given.db.sql, given.tenant);
  const known = digests.reduce((sum, { count }) => sum + count, 0);
  if (known < size) await fillLeaves(given, known, size);
}

async function judge(given: Given): Promise<CheckedLog | Fault | 'empty'> {
  const { db, tenant, origin, place } = given;
  const digests = await store.readLeafDigests(db.sql, tenant);
  const known = digests.reduce((sum, { count }) => sum + count, 0);
  const [compared, cuts] = [comparer(digests), floorReader()];
  const copy = await readIfThere(join(place.copy.dir, place.copy.name));
  const checked = await checkLog(place.dir, {
    origin,
    publicKey: place.signer.publicKey,
    since: copy ? [copy.toString('utf8')] : [],
    onTile: (tile) => compared.see(tile),
    onEntry: (index, entry) => cuts.see(index, entry),
  });
  if (checked === 'empty')
    return known > 0 ? { fault: 'rolled-back', where: 'checkpoint' } : checked;
  if ('fault' in checked) return checked;
  const { checkpoint, cut } = checked;
  if (known > checkpoint.size) return { fault: 'rolled-back', where: 'checkpoint' };
  const differs = compared.differs();
  if (differs !== undefined) return { fault: 'database-differs', where: `tile/0/${differs}` };
  if (cut.last >= cuts.floor()) return { fault: 'entry-missing', where: String(cut.last) };
  if (known < checkpoint.size) await fillLeaves(given, known, checkpoint.size);
  return checked;
}

/**
 * Checks a log and opens it for writing.
 *
 * @returns the log, or the first fault that was found.
 * @throws Error of the file system or of the database.
 */
export async function startLog(given: Given): Promise<OpenLog | Fault> {
  const checked = await judge(given);
  if (checked === 'empty') return newLog(given.origin);
  if ('fault' in checked) return checked;
  await removeStrays(given.place.dir, checked.edge);
  return logOf(checked);
}
