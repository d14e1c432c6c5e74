import { createHash } from 'node:crypto';
import { canonicalJson } from '#base/canonical-json';
import type { Look } from '#core/looking';

export type Revision = {
  readonly revision: number;
  readonly version: string;
  readonly hash: string;
  readonly by: string;
  readonly reason: string;
  readonly appliedAt: string;
  readonly inForce: boolean;
};

export type Stored = {
  readonly revision: number;
  readonly hash: string;
  readonly reason: string;
  readonly actor: string;
  readonly document: Record<string, unknown>;
};

export const hashOf = (document: unknown) =>
  createHash('sha256')
    .update(canonicalJson(document as never))
    .digest('hex');

/** Every revision as a stranger is given it; `undefined` where it is not given. */
export async function givenRevisions(look: Look): Promise<Revision[] | undefined> {
  const { status, json } = await look.http(`/v1/t/${look.tenant}/policy/revisions`);
  return status === 200 ? (json as { revisions: Revision[] }).revisions : undefined;
}

export async function givenRevision(look: Look, revision: number) {
  const { status, json } = await look.http(`/v1/t/${look.tenant}/policy/revisions/${revision}`);
  if (status !== 200) return undefined;
  return json as { hash: string; changes: string[]; policy: Record<string, unknown> };
}

/** The same from the tables, oldest first. */
export const storedRevisions = (look: Look) => look.sql<Stored[]>`
  select revision, hash, reason, actor_kind as actor, document
  from troth.policies
  where tenant = ${look.tenant}
  order by revision`;

/** The sections in which two documents differ. */
export const changedSections = (from: Stored['document'], to: Stored['document']): string[] =>
  [...new Set([...Object.keys(from), ...Object.keys(to)])].filter(
    (key) =>
      canonicalJson((from[key] ?? null) as never) !== canonicalJson((to[key] ?? null) as never),
  );

class Undo extends Error {}

/** Tries to change, and to remove, a revision as the owner of the tables; undone whatever happens. */
export async function canBeChanged(look: Look): Promise<boolean> {
  let changed = 0;
  for (const act of ['change', 'remove'] as const) {
    try {
      await look.sql.begin(async (tx) => {
        if (act === 'change')
          await tx`update troth.policies set reason = reason || '.' where tenant = ${look.tenant}`;
        else await tx`delete from troth.policy_statements where tenant = ${look.tenant}`;
        if (act === 'remove') await tx`delete from troth.policies where tenant = ${look.tenant}`;
        changed += 1;
        throw new Undo();
      });
    } catch (error) {
      // Refused by the database, or undone by us: either way nothing has changed.
      if (!(error instanceof Undo) && !(error as { code?: string }).code) throw error;
    }
  }
  return changed > 0;
}
