import { createHash } from 'node:crypto';
import { canonicalJson } from '#base/canonical-json';
import { broken, defineProof, gap, kept, type Look, saw, term, terms } from '#core/promises';

const ENTRIES_MAX = 50_000;
const PAGE = 5_000;
/** The engine's word for "you may not". */
const DENIED = '42501';
const ROLES = ['troth_app', 'troth_eraser', 'troth_sweeper'] as const;

type Entry = {
  readonly seq: string;
  readonly leaf: Buffer;
  readonly at: Date;
  readonly hashed: Record<string, unknown>;
};

/** Somebody's decision, and with it an entry that this proof knows the making of. */
async function makeEntry({ canaries, keys, tenant, sql }: Look): Promise<string | undefined> {
  const { userId } = await canaries.agreeing();
  const [found] = await keys.find(tenant, [{ kind: 'user', value: userId }], { create: false });
  if (typeof found !== 'object') return undefined;
  const [entry] = await sql<{ seq: string }[]>`
    select seq from troth.audit_entries
    where tenant = ${tenant} and subject = ${found.subject}
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
    and has_table_privilege(pg_roles.oid, pg_class.oid, 'update, delete, truncate')
  order by rolname
  limit 100`;

const page = ({ sql, tenant }: Look, below: string) => sql<Entry[]>`
  select seq, leaf_hash as leaf, at, jsonb_build_object(
    'v', 1, 'id', id, 'tenant', tenant, 'kind', kind, 'event', event, 'action', action,
    'actorKind', actor_kind, 'actorId', actor_id, 'fields', fields, 'commitments', commitments,
    'subject', replace(subject::text, '-', ''), 'revision', revision, 'intent', intent) as hashed
  from troth.audit_entries
  where tenant = ${tenant} and seq < ${below}
  order by seq desc
  limit ${PAGE}`;

/** RFC 6962: the hash of a leaf. */
const leafOf = ({ at, hashed }: Entry) =>
  createHash('sha256')
    .update(Buffer.of(0))
    .update(canonicalJson({ ...hashed, at: at.toISOString() } as never))
    .digest();

async function recompute(look: Look) {
  let below = String(2n ** 62n);
  let looked = 0;
  let changed = 0;
  while (looked < ENTRIES_MAX) {
    look.signal.throwIfAborted();
    const entries = await page(look, below);
    looked += entries.length;
    changed += entries.filter((entry) => !leafOf(entry).equals(entry.leaf)).length;
    const last = entries.at(-1);
    if (!last || entries.length < PAGE) break;
    below = last.seq;
  }
  return { looked, changed };
}

export const appendOnly = defineProof({
  control: 'audit.append-only',
  strength: 'stored-bytes',
  blindTo: 'An entry that the owner of the database changes together with its hash.',
  async prove(at) {
    const seq = await makeEntry(at);
    if (!seq) return gap(saw`the entry of a canary's decision was not found`);
    const allowed = await attempts(at, seq);
    if (allowed.length > 0) return broken(saw`the database allowed: ${terms(allowed)}`);
    const roles = await holders(at);
    if (roles.length > 0) {
      return broken(saw`may change entries: ${terms(roles.map(({ role }) => role))}`);
    }
    const { looked, changed } = await recompute(at);
    if (changed > 0) return broken(saw`${changed} of ${looked} entries do not fit their hash`);
    return kept(
      saw`9 of 9 attempts to change, delete or empty as ${term(ROLES.join(', '))} were refused; ${looked} of ${looked} entries fit their hash`,
    );
  },
});
