/** Where the audit log has what was found about each promise: an entry, its place, its proof. */
import type postgres from 'postgres';
import type { TenantId } from '#base/ids';
import { leafHash, verifyInclusion } from '#base/merkle';
import { openCheckpoint } from '#base/signed-note';
import { openTenantLog } from '#core/audit';

export type LoggedEntry = {
  /** Of the leaf in the tree. */
  readonly index: number;
  /** Canonical JSON, as it was hashed; null once the body was cut off. */
  readonly leaf: string | null;
  /** Base64: the audit path to the root of the checkpoint. */
  readonly proof: readonly string[];
};

export type Logged = {
  /** The signed head of the log; null before its first entry. */
  readonly checkpoint: string | null;
  /** By promise: the entry that its present state came with. */
  readonly entries: Readonly<Record<string, LoggedEntry>>;
};

const PROMISES_MAX = 10_000;

/** Reads the last entry about every promise of a service. @param auditDir  where the logs lie. */
export async function readLogged(
  sql: postgres.ISql,
  { tenant, auditDir }: { tenant: TenantId; auditDir: string },
): Promise<Logged> {
  const log = openTenantLog(auditDir, tenant);
  if (!log) return { checkpoint: null, entries: {} };
  const last = await sql<{ promise: string; index: number }[]>`
    select entry.promise, leaf.index::float8 as index
    from (
      select distinct on (fields ->> 'promise') fields ->> 'promise' as promise, leaf_hash
      from troth.audit_entries
      where tenant = ${tenant}
        and event in ('promise.found-kept', 'promise.found-broken', 'promise.found-gap')
      order by fields ->> 'promise', seq desc
    ) as entry
    join troth.audit_leaves as leaf
      on leaf.tenant = ${tenant} and leaf.leaf_hash = entry.leaf_hash
    limit ${PROMISES_MAX}`;
  const entries: Record<string, LoggedEntry> = {};
  for (const { promise, index } of last) {
    // Sequenced after this head was signed: it is in the next report.
    if (index >= log.size) continue;
    const [found] = log.entries(index - 1, 1);
    if (found) entries[promise] = { index, leaf: found.leaf, proof: found.proof };
  }
  return { checkpoint: log.note, entries };
}

type Found = { readonly id: string; readonly state: string };

/**
 * What is wrong between a report's findings and the log that it quotes; empty when each quoted
 * entry is in the tree that the same key signed, and says what the report says.
 */
export function loggedComplaints(
  { checkpoint, entries }: Logged,
  found: readonly Found[],
  publicKey: Uint8Array,
): string[] {
  if (checkpoint === null) return [];
  const head = openCheckpoint(checkpoint, publicKey);
  if (!head) return ['the head of its audit log is not signed by the same key'];
  const { size, root } = head;
  const states = new Map(found.map(({ id, state }) => [id, state]));
  return Object.entries(entries).flatMap(([promise, { index, leaf, proof }]) => {
    if (leaf === null) return [];
    const path = proof.map((hash) => Buffer.from(hash, 'base64'));
    const claim = { index, size, root, leaf: leafHash(Buffer.from(leaf)), proof: path };
    if (!verifyInclusion(claim)) return [`the entry about ${promise} is not in the audit log`];
    const { event, fields } = JSON.parse(leaf) as { event: string; fields: { promise?: string } };
    const state = states.get(promise);
    // A promise that also wants somebody's word is a gap, whatever the probe found.
    const agrees = event === `promise.found-${state}` || state === 'gap' || state === 'attested';
    if (fields.promise === promise && agrees) return [];
    return [`the audit log has another finding about ${promise}`];
  });
}
