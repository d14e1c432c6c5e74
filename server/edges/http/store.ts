import type { Database } from '#platform/database';
import type { OperatorStore } from './operator.ts';

/** The sessions of the control database: any process of the server knows them. */
export function operatorStore({ sql }: Pick<Database, 'sql'>): OperatorStore {
  return {
    async add({ kind, hash, expiresAt }) {
      await sql`
        insert into troth.operator_tokens (token_hash, kind, expires_at)
        values (${hash}, ${kind}, ${expiresAt})`;
    },
    async spendLink(hash, now) {
      const spent = await sql`
        delete from troth.operator_tokens
        where token_hash = ${hash} and kind = 'link' and expires_at > ${now}
        returning kind`;
      return spent.length === 1;
    },
    async sessionLives(hash, now) {
      const [found] = await sql`
        select kind
        from troth.operator_tokens
        where token_hash = ${hash} and kind = 'session' and expires_at > ${now}
        limit 1`;
      return found !== undefined;
    },
    async endSession(hash) {
      await sql`delete from troth.operator_tokens where token_hash = ${hash}`;
    },
  };
}

/** For tests, and for a server that has no database: forgotten when the process ends. */
export function memoryOperatorStore(): OperatorStore {
  const entries = new Map<string, { kind: 'link' | 'session'; expiresAt: Date }>();
  const find = (hash: Buffer, kind: 'link' | 'session', now: Date) => {
    const entry = entries.get(hash.toString('hex'));
    return entry?.kind === kind && entry.expiresAt > now;
  };
  return {
    add: async ({ kind, hash, expiresAt }) => {
      entries.set(hash.toString('hex'), { kind, expiresAt });
    },
    spendLink: async (hash, now) => find(hash, 'link', now) && entries.delete(hash.toString('hex')),
    sessionLives: async (hash, now) => find(hash, 'session', now),
    endSession: async (hash) => {
      entries.delete(hash.toString('hex'));
    },
  };
}
