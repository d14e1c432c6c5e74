import { setTimeout as sleep } from 'node:timers/promises';
import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, term, terms } from '#core/promises';
import {
  closedDoors,
  type Door,
  type Doors,
  doorsOf,
  isTurnedAway,
  knock,
  SCOPES,
  type Scope,
} from './key-doors.ts';

type Key = { readonly id: string; readonly key: string; readonly scope: Scope };

const REFUSED = 403;
const UNKNOWN = 401;
/** Every server is told of a revocation within a second. */
const FORGOTTEN_MS = 2_000;
const AGAIN_MS = 150;

const addressOf = ({ tenant }: Look) => `/v1/operator/t/${tenant}/write-keys`;

async function issue(look: Look, scope: Scope): Promise<Key | undefined> {
  const { marker } = look.canaries.person();
  const told = await look.operator(addressOf(look), {
    body: { application: `canary-${marker}`, scopes: [scope] },
  });
  const { id, key } = (told.json ?? {}) as { id?: string; key?: string };
  return told.status === 201 && id && key ? { id, key, scope } : undefined;
}

/** The doors that a key that was revoked still opens, once every server had time to hear of it. */
async function stillOpen(look: Look, { key, scope }: Key, doors: Doors): Promise<Door[]> {
  for (const end = performance.now() + FORGOTTEN_MS; ; ) {
    const open: Door[] = [];
    for (const door of doors[scope])
      if ((await knock(look, key, door)) !== UNKNOWN) open.push(door);
    if (open.length === 0 || performance.now() > end) return open;
    await sleep(AGAIN_MS, undefined, { signal: look.signal });
  }
}

/** Takes the keys away and lets nothing of them stay in the table. @returns what still opens. */
async function takeAway(look: Look, keys: readonly Key[], doors: Doors): Promise<string[]> {
  for (const { id } of keys) await look.operator(`${addressOf(look)}/${id}`, { method: 'DELETE' });
  const open: Door[] = [];
  for (const key of keys) open.push(...(await stillOpen(look, key, doors)));
  await look.sql`delete from troth.write_keys where id = any(${keys.map(({ id }) => id)})`;
  return open.map(nameOf);
}

const nameOf = ({ method, path, shown }: Door) =>
  [method, path, ...(shown ? [`(${shown})`] : [])].join(' ');

/** What opened that should not, what did not that should, and how often it was right. */
async function matrix(look: Look, keys: readonly Key[], doors: Doors) {
  const none = await closedDoors(look, doors);
  const wrong: string[] = [];
  const shut: string[] = [];
  let [opened, refused] = [0, 0];
  for (const { key, scope } of keys) {
    for (const other of SCOPES) {
      for (const door of doors[other]) {
        const status = await knock(look, key, door);
        if (other === scope && status === door.within) opened += 1;
        else if (other === scope) shut.push(`${status} at ${nameOf(door)}`);
        else if (status === REFUSED) refused += 1;
        else wrong.push(`${scope} at ${nameOf(door)}`);
      }
    }
    for (const door of none) {
      if (isTurnedAway(await knock(look, key, door))) refused += 1;
      else wrong.push(`${scope} at ${nameOf(door)}`);
    }
  }
  return { wrong, shut, opened, refused, closed: none.length };
}

async function judge(look: Look, keys: readonly Key[], doors: Doors): Promise<Seen> {
  const { length } = SCOPES;
  if (keys.length < length) return gap(saw`keys for applications were not issued`);
  const stored = await look.sql<{ application: string | null }[]>`
    select application from troth.write_keys where id = any(${keys.map(({ id }) => id)})`;
  const applications = new Set(stored.map(({ application }) => application ?? ''));
  if (applications.size < length || applications.has('')) {
    return broken(saw`${length} keys are for ${applications.size} applications`);
  }
  const { wrong, shut, opened, refused, closed } = await matrix(look, keys, doors);
  if (wrong.length > 0) return broken(saw`not refused: ${terms(wrong)}`);
  if (shut.length > 0) return gap(saw`a key did not open its own door: ${terms(shut)}`);
  if (closed === 0) return gap(saw`the interface describes no door that is for operators`);
  return kept(
    saw`${length} applications with a key each (${term(SCOPES.join(', '))}): ${opened} of ${opened} doors of their scope opened; ${refused} of ${refused} tries at doors of another, or at the ${closed} of operators, were refused; once revoked, none opens`,
  );
}

export const keyScopes = defineProof({
  control: 'access.key-scopes',
  strength: 'protocol',
  blindTo: 'Whether each application was really given a key of its own.',
  async prove(at) {
    const issued = await Promise.all(SCOPES.map((scope) => issue(at, scope)));
    const keys = issued.filter((one) => one !== undefined);
    const doors = doorsOf(at.tenant, at.canaries.person().userId);
    let open: string[] = [];
    let seen: Seen;
    try {
      seen = await judge(at, keys, doors);
    } finally {
      // Whatever happened: a key that nobody knows of must not stay.
      open = await takeAway(at, keys, doors);
    }
    return open.length > 0 ? broken(saw`a key that was revoked opens ${terms(open)}`) : seen;
  },
});
