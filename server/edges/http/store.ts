import type postgres from 'postgres';
import { KeyId } from '#base/ids';
import { appendAudit, INSTALLATION } from '#core/audit';
import { type Actor, authorize } from '#core/policy';
import type { Database } from '#platform/database';
import type { OperatorStore, Token } from './operator.ts';

const OPERATOR: Actor = { kind: 'operator', id: KeyId('operator') };

/** The operator's sessions belong to no service: their log is the installation's own. */
async function record(
  tx: postgres.TransactionSql,
  act: 'operator.sign-in' | 'operator.sign-out',
  now: Date,
): Promise<void> {
  const permit = authorize({ tenant: INSTALLATION, revision: 0 }, OPERATOR, act);
  const event = act === 'operator.sign-in' ? 'operator.signed-in' : 'operator.signed-out';
  await appendAudit(Object.assign(tx, { now }), permit, { event });
}

/** The sessions of the control database: any process of the server knows them. */
export function operatorStore({ sql }: Pick<Database, 'sql'>): OperatorStore {
  const add = (to: postgres.ISql, kind: 'link' | 'session', { hash, expiresAt }: Token) => to`
    insert into troth.operator_tokens (token_hash, kind, expires_at)
    values (${hash}, ${kind}, ${expiresAt})`;
  return {
    async addLink(link) {
      await add(sql, 'link', link);
    },
    enter: (link, session, now) =>
      sql.begin(async (tx) => {
        const spent = await tx`
          delete from troth.operator_tokens
          where token_hash = ${link} and kind = 'link' and expires_at > ${now}
          returning kind`;
        if (spent.length !== 1) return false;
        await add(tx, 'session', session);
        await record(tx, 'operator.sign-in', now);
        return true;
      }),
    async sessionLives(hash, now) {
      const [found] = await sql`
        select kind
        from troth.operator_tokens
        where token_hash = ${hash} and kind = 'session' and expires_at > ${now}
        limit 1`;
      return found !== undefined;
    },
    async endSession(hash, now) {
      await sql.begin(async (tx) => {
        const ended = await tx`
          delete from troth.operator_tokens
          where token_hash = ${hash} and kind = 'session'
          returning kind`;
        if (ended.length > 0) await record(tx, 'operator.sign-out', now);
      });
    },
  };
}

/** For tests, and for a server that has no database: forgotten when the process ends. */
export function memoryOperatorStore(): OperatorStore {
  const entries = new Map<string, { kind: 'link' | 'session'; expiresAt: Date }>();
  const nameOf = (hash: Buffer) => hash.toString('hex');
  const find = (hash: Buffer, kind: 'link' | 'session', now: Date) => {
    const entry = entries.get(nameOf(hash));
    return entry?.kind === kind && entry.expiresAt > now;
  };
  return {
    addLink: async ({ hash, expiresAt }) => {
      entries.set(nameOf(hash), { kind: 'link', expiresAt });
    },
    async enter(link, { hash, expiresAt }, now) {
      if (!find(link, 'link', now)) return false;
      entries.delete(nameOf(link));
      entries.set(nameOf(hash), { kind: 'session', expiresAt });
      return true;
    },
    sessionLives: async (hash, now) => find(hash, 'session', now),
    endSession: async (hash) => {
      entries.delete(nameOf(hash));
    },
  };
}

/** Removes links and sessions whose time is over; they opened nothing any more. */
export async function sweepOperatorTokens(
  { sql }: Pick<Database, 'sql'>,
  now: Date,
): Promise<number> {
  const { count } = await sql`delete from troth.operator_tokens where expires_at < ${now}`;
  return count;
}
