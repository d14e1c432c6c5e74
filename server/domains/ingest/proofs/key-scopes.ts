import { setTimeout as sleep } from 'node:timers/promises';
import { type Ask, bearer, type Look } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, term, terms } from '#core/promises';

type Scope = 'ingest' | 'consent' | 'erase';
type Key = { readonly id: string; readonly key: string; readonly scope: Scope };

const SCOPES: readonly Scope[] = ['ingest', 'consent', 'erase'];
const REFUSED = 403;
const UNKNOWN = 401;
/** Every server is told of a revocation within a second. */
const FORGOTTEN_MS = 2_000;
const AGAIN_MS = 150;

/** What each scope opens; nothing is sent that would be done. */
const doors = (
  tenant: string,
  userId: string,
): Readonly<Record<Scope, readonly [string, Ask]>> => ({
  ingest: [`/v1/t/${tenant}/batch`, { body: { batch: [] } }],
  consent: [`/v1/t/${tenant}/consents/status`, { body: { handle: { userId } } }],
  // Without a person named, so that whoever is let in is told what is missing.
  erase: [`/v1/t/${tenant}/erasures`, { body: {} }],
});

const addressOf = ({ tenant }: Look) => `/v1/operator/t/${tenant}/write-keys`;

async function issue(look: Look, scope: Scope): Promise<Key | undefined> {
  const { marker } = look.canaries.person();
  const told = await look.operator(addressOf(look), {
    body: { application: `canary-${marker}`, scopes: [scope] },
  });
  const { id, key } = (told.json ?? {}) as { id?: string; key?: string };
  return told.status === 201 && id && key ? { id, key, scope } : undefined;
}

const knock = async ({ http }: Look, key: string, [path, ask]: readonly [string, Ask]) =>
  (await http(path, { ...ask, headers: bearer(key) })).status;

/** Takes the keys away and lets nothing of them stay in the table. @returns how many still open. */
async function takeAway(look: Look, keys: readonly Key[], userId: string): Promise<number> {
  for (const { id } of keys) await look.operator(`${addressOf(look)}/${id}`, { method: 'DELETE' });
  let open = 0;
  for (const end = performance.now() + FORGOTTEN_MS; ; ) {
    open = 0;
    for (const { key, scope } of keys) {
      const status = await knock(look, key, doors(look.tenant, userId)[scope]);
      if (status !== UNKNOWN) open += 1;
    }
    if (open === 0 || performance.now() > end) break;
    await sleep(AGAIN_MS, undefined, { signal: look.signal });
  }
  await look.sql`delete from troth.write_keys where id = any(${keys.map(({ id }) => id)})`;
  return open;
}

/** Which scope opened which door; by the names of both. */
async function matrix(look: Look, keys: readonly Key[], userId: string) {
  const wrong: string[] = [];
  const closed: string[] = [];
  for (const { key, scope } of keys) {
    for (const door of SCOPES) {
      const status = await knock(look, key, doors(look.tenant, userId)[door]);
      const isRefused = status === REFUSED || status === UNKNOWN;
      if (door !== scope && status !== REFUSED) wrong.push(`${scope} at ${door}`);
      if (door === scope && isRefused) closed.push(scope);
    }
  }
  return { wrong, closed };
}

async function judge(look: Look, keys: readonly Key[], userId: string): Promise<Seen> {
  const { length } = SCOPES;
  if (keys.length < length) return gap(saw`keys for applications were not issued`);
  const stored = await look.sql<{ application: string | null }[]>`
    select application from troth.write_keys where id = any(${keys.map(({ id }) => id)})`;
  const applications = new Set(stored.map(({ application }) => application ?? ''));
  if (applications.size < length || applications.has('')) {
    return broken(saw`${length} keys are for ${applications.size} applications`);
  }
  const { wrong, closed } = await matrix(look, keys, userId);
  if (wrong.length > 0) return broken(saw`not refused: ${terms(wrong)}`);
  if (closed.length > 0) return gap(saw`a key did not open its own door: ${terms(closed)}`);
  const others = length * (length - 1);
  return kept(
    saw`${length} applications with a key each: ${length} of ${length} opened the door of their scope (${term(SCOPES.join(', '))}), ${others} of ${others} at others were answered ${REFUSED}; once revoked, none opens`,
  );
}

export const keyScopes = defineProof({
  control: 'access.key-scopes',
  strength: 'protocol',
  blindTo: 'Whether each application was really given a key of its own.',
  async prove(at) {
    const issued = await Promise.all(SCOPES.map((scope) => issue(at, scope)));
    const keys = issued.filter((one) => one !== undefined);
    const { userId } = at.canaries.person();
    let open = 0;
    let seen: Seen;
    try {
      seen = await judge(at, keys, userId);
    } finally {
      // Whatever happened: a key that nobody knows of must not stay.
      open = await takeAway(at, keys, userId);
    }
    return open > 0 ? broken(saw`${open} keys that were revoked still open their door`) : seen;
  },
});
