/** Write keys as an operator hands them out: one for each application, with what it may do. */
import { type KeyId, Word } from '#base/ids';
import { appendAudit } from '#core/audit';
import { type Actor, authorize, type PolicyInForce } from '#core/policy';
import type { Database } from '#platform/database';
import { ingestProblem } from './errors.ts';
import { issueWriteKey, type ListedKey, listWriteKeys, revokeWriteKey } from './store.ts';
import { kindOf, type Scope } from './write-keys.ts';

export type KeyDesk = {
  readonly db: Pick<Database, 'sql'>;
  readonly inForce: PolicyInForce;
  readonly actor: Actor;
  readonly now: Date;
};

export type WantedKey = {
  /** A word of the operator's: `checkout`, `warehouse-sync`. */
  readonly application: string;
  readonly scopes: readonly Scope[];
  /** Makes it a key of pages, for these origins; without, it is a secret of servers. */
  readonly origins?: readonly string[] | undefined;
};

/** Issues a key. Its text is in the answer and nowhere else. */
export async function issueApplicationKey(
  { db, inForce, actor, now }: KeyDesk,
  { application, scopes, origins }: WantedKey,
): Promise<{ readonly id: KeyId; readonly text: string }> {
  const permit = authorize(inForce, actor, 'write-key.issue');
  return db.sql.begin(async (tx) => {
    const given = { scopes, application, now, ...(origins ? { origins } : {}) };
    const issued = await issueWriteKey(tx, permit, given);
    const kind = Word(kindOf({ origins: origins ? [...origins] : null }));
    const fields = { key: issued.id, application: Word(application), kind };
    const act = { event: 'write-key.issued', fields } as const;
    await appendAudit(Object.assign(tx, { now }), permit, act);
    return issued;
  });
}

/** Takes a key away, for good. @throws Problem write-key-unknown. */
export async function revokeApplicationKey(
  { db, inForce, actor, now }: KeyDesk,
  id: KeyId,
): Promise<void> {
  const permit = authorize(inForce, actor, 'write-key.revoke');
  await db.sql.begin(async (tx) => {
    if (!(await revokeWriteKey(tx, permit, id, now))) {
      throw ingestProblem('write-key-unknown', 'it was revoked already, or is of another service');
    }
    const act = { event: 'write-key.revoked', fields: { key: id } } as const;
    await appendAudit(Object.assign(tx, { now }), permit, act);
  });
}

/** Every living key, oldest first, also those that a start made; never a secret. */
export const applicationKeys = ({ db, inForce }: KeyDesk): Promise<ListedKey[]> =>
  listWriteKeys(db.sql, inForce.tenant);
