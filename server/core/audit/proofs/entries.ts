import { createHash } from 'node:crypto';
import { canonicalJson } from '#base/canonical-json';
import type { Look } from '#core/looking';

/** The newest of a service; what is older was looked at when it was new. */
export const ENTRIES_MAX = 50_000;
const PAGE = 5_000;

export type Entry = {
  readonly seq: string;
  readonly leaf: Buffer;
  readonly at: Date;
  readonly hashed: Record<string, unknown>;
};

const columns = ({ sql }: Look) => sql`
  seq, leaf_hash as leaf, at, jsonb_build_object(
    'v', 1, 'id', id, 'tenant', tenant, 'kind', kind, 'event', event, 'action', action,
    'actorKind', actor_kind, 'actorId', actor_id, 'fields', fields, 'commitments', commitments,
    'subject', replace(subject::text, '-', ''), 'revision', revision, 'intent', intent) as hashed`;

const page = (look: Look, below: string) => look.sql<Entry[]>`
  select ${columns(look)}
  from troth.audit_entries
  where tenant = ${look.tenant} and seq < ${below}
  order by seq desc
  limit ${PAGE}`;

/** The entries of a service, newest first. */
export async function readEntries(look: Look): Promise<Entry[]> {
  let below = String(2n ** 62n);
  const found: Entry[] = [];
  while (found.length < ENTRIES_MAX) {
    look.signal.throwIfAborted();
    const entries = await page(look, below);
    found.push(...entries);
    const last = entries.at(-1);
    if (!last || entries.length < PAGE) break;
    below = last.seq;
  }
  return found;
}

/** RFC 6962: the hash of a leaf, of what the entry says today. */
export const leafOf = ({ at, hashed }: Entry): Buffer =>
  createHash('sha256')
    .update(Buffer.of(0))
    .update(canonicalJson({ ...hashed, at: at.toISOString() } as never))
    .digest();

/** Below this index bodies of entries may be gone, because their time was over. */
export async function cutFloor({ sql, tenant }: Look): Promise<number> {
  const [cut] = await sql<{ floor: number }[]>`
    select coalesce(max(floor), 0)::float8 as floor from troth.audit_cuts
    where tenant = ${tenant}`;
  return cut?.floor ?? 0;
}

/** The newest number of all services; entries that commit later may still have a smaller one. */
export async function lastSeq({ sql }: Look): Promise<string> {
  const [row] = await sql<{ seq: string }[]>`
    select coalesce(max(seq), 0)::text as seq from troth.audit_entries`;
  return row?.seq ?? '0';
}

/** The entries of a service after a number, oldest first. */
export const entriesAfter = (look: Look, seq: string) => look.sql<Entry[]>`
  select ${columns(look)}
  from troth.audit_entries
  where tenant = ${look.tenant} and seq > ${seq}
  order by seq
  limit ${PAGE}`;
