import { setTimeout as sleep } from 'node:timers/promises';
import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term, terms } from '#core/promises';
import { cutFloor, ENTRIES_MAX, leafOf, readEntries } from './entries.ts';
import { type Bodies, readBodies, readLog, type SignedLog } from './signed-log.ts';

const ATTEMPTS = 8;
const AGAIN_MS = 400;
/** The engine's word for "you may not". */
const DENIED = '42501';
const ROLES = ['troth_app', 'troth_eraser', 'troth_sweeper'] as const;

/**
 * An entry that this proof knows the making of: of somebody's decision; or, where nobody is asked
 * for one, that of the revision that is in force.
 */
async function makeEntry(look: Look): Promise<string | undefined> {
  const { canaries, tenant, policy, revision, sql } = look;
  const asks = Object.values(policy.purposes).some(({ required }) => !required);
  const { userId } = await canaries.agreeing();
  const subject = asks ? await canaries.subjectOf('user', userId) : undefined;
  if (asks && subject === undefined) return undefined;
  const [entry] = await sql<{ seq: string }[]>`
    select seq from troth.audit_entries
    where tenant = ${tenant} and (subject = ${subject ?? null}
      or (${!asks} and event = 'policy.applied' and fields ->> 'revision' = ${String(revision)}))
    limit 1`;
  return entry?.seq;
}

/** What each role was let do to an entry that is there; every attempt is undone. */
async function attempts({ asServer }: Look, seq: string): Promise<string[]> {
  const ways = [
    ['change', `update troth.audit_entries set fields = '{}' where seq = ${BigInt(seq)}`],
    ['delete', `delete from troth.audit_entries where seq = ${BigInt(seq)}`],
    ['empty', 'truncate troth.audit_entries'],
  ] as const;
  const allowed: string[] = [];
  for (const role of ROLES) {
    for (const [way, statement] of ways) {
      const denied = await asServer(undefined, async (tx) => {
        await tx`select set_config('role', ${role}, true)`;
        try {
          await tx.savepoint((inner) => inner.unsafe(statement));
          return false;
        } catch (error) {
          if ((error as { code?: string }).code === DENIED) return true;
          throw error;
        }
      });
      if (!denied) allowed.push(`${way} as ${role}`);
    }
  }
  return allowed;
}

/** Roles with such a right by the catalogue, the owner of the table and who stands above aside. */
const holders = ({ sql }: Look) => sql<{ role: string }[]>`
  select rolname as role
  from pg_roles, pg_class
  where pg_class.oid = 'troth.audit_entries'::regclass and not rolsuper and rolname !~ '^pg_'
    and not pg_has_role(pg_roles.oid, relowner, 'usage')
    and (has_table_privilege(pg_roles.oid, pg_class.oid, 'update, delete, truncate')
      or has_any_column_privilege(pg_roles.oid, pg_class.oid, 'update'))
  order by rolname
  limit 100`;

async function isWaiting({ sql, tenant }: Look, seq: string): Promise<boolean> {
  const [row] = await sql`
    select 1 from troth.audit_pending where tenant = ${tenant} and seq = ${seq}`;
  return row !== undefined;
}

type Compared = {
  readonly log: SignedLog;
  readonly bodies: Bodies;
  /** Entries up to the canary's. */
  readonly older: number;
  /** Entries that the log has not, and leaves from the cut on that no entry is left of. */
  readonly missing: number;
  readonly orphans: number;
};

/** Lays the entries and the log side by side. Both grow, so what is missing is looked for again. */
async function compare(look: Look, seq: string): Promise<Compared | undefined> {
  for (let attempt = 1; ; attempt++) {
    const log = await readLog(look);
    const entries = await readEntries(look);
    if (log) {
      const inLog = new Set(log.leaves);
      const stored = new Set(entries.map(({ leaf }) => leaf.toString('hex')));
      const older = entries.filter((entry) => BigInt(entry.seq) <= BigInt(seq));
      const missing = older.filter(({ leaf }) => !inLog.has(leaf.toString('hex'))).length;
      const from = Math.max(await cutFloor(look), log.first);
      const isWhole = entries.length < ENTRIES_MAX && log.first === 0;
      const orphans = log.leaves
        .slice(from - log.first)
        .filter((leaf) => isWhole && !stored.has(leaf)).length;
      const settled = missing === 0 && orphans === 0 && !(await isWaiting(look, seq));
      if (settled || attempt === ATTEMPTS) {
        const bodies = await readBodies(look, log);
        return bodies && { log, bodies, older: older.length, missing, orphans };
      }
    } else if (attempt === ATTEMPTS) return undefined;
    await sleep(AGAIN_MS, undefined, { signal: look.signal });
  }
}

export const appendOnly = defineProof({
  control: 'audit.append-only',
  strength: 'stored-bytes',
  blindTo:
    'An operator who writes another log and signs it anew, with no witness to tell them apart.',
  async prove(at) {
    const seq = await makeEntry(at);
    if (!seq) return gap(saw`the entry of a known act was not found`);
    const allowed = await attempts(at, seq);
    if (allowed.length > 0) return broken(saw`the database allowed: ${terms(allowed)}`);
    const roles = await holders(at);
    if (roles.length > 0) {
      return broken(saw`may change entries: ${terms(roles.map(({ role }) => role))}`);
    }
    const entries = await readEntries(at);
    const looked = entries.length;
    const changed = entries.filter((entry) => !leafOf(entry).equals(entry.leaf)).length;
    if (changed > 0) return broken(saw`${changed} of ${looked} entries do not fit their hash`);
    const compared = await compare(at, seq);
    if (!compared) return gap(saw`no log with the signature of this installation was found`);
    const { log, bodies, older, missing, orphans } = compared;
    if (log.rootFits === false) return broken(saw`the signed root does not fit its leaves`);
    if (bodies.changed > 0) {
      return broken(saw`${bodies.changed} of ${bodies.read} entries of the log were changed`);
    }
    if (missing > 0) return broken(saw`${missing} of ${older} entries are not in the signed log`);
    if (orphans > 0) return broken(saw`${orphans} entries of the signed log are gone`);
    return kept(
      saw`9 of 9 attempts to change, delete or empty as ${term(ROLES.join(', '))} were refused; ${looked} of ${looked} entries fit their hash, and ${older} of ${older} up to the canary's stand in the signed log of ${log.size}, where the newest ${bodies.read} are as they were hashed`,
    );
  },
});
