/** Every door that a scope of a write key opens, and those of the interface that none may open. */
import { randomUUID } from 'node:crypto';
import { type Ask, bearer, type Look } from '#core/looking';

export type Scope = 'ingest' | 'consent' | 'erase';
export const SCOPES: readonly Scope[] = ['ingest', 'consent', 'erase'];

export type Door = {
  readonly path: string;
  readonly method: string;
  readonly body?: object;
  /** How the key is shown. Default: as a Bearer credential. */
  readonly shown?: 'basic' | 'in the body';
  /** What somebody who is let in is answered, since nothing is sent that would be done. */
  readonly within: number;
};

/** Words that end the addresses of events: ours, Segment's long and short ones, LoopKit's. */
const WORDS = 'batch import track identify page screen group alias tracks t p i g a s b'.split(' ');
const NOBODYS = 404;

function eventDoors(tenant: string): Door[] {
  const ask = { method: 'POST', body: { batch: [] }, within: 200 } as const;
  const paths = WORDS.flatMap((word) => [`/v1/t/${tenant}/${word}`, `/v1/${word}`]);
  const otherwise = ['basic', 'in the body'] as const;
  return [
    ...paths.map((path) => ({ ...ask, path })),
    ...otherwise.map((shown) => ({ ...ask, path: `/v1/t/${tenant}/batch`, shown })),
  ];
}

function consentDoors(tenant: string, userId: string): Door[] {
  const path = `/v1/t/${tenant}/consents`;
  const incomplete = { body: {}, within: 400 } as const;
  return [
    { path, method: 'POST', ...incomplete },
    { path: `${path}/preferences`, method: 'PUT', ...incomplete },
    { path: `${path}/withdraw`, method: 'POST', ...incomplete },
    { path: `${path}/status`, method: 'POST', body: { handle: { userId } }, within: 200 },
  ];
}

function erasureDoors(tenant: string): Door[] {
  const path = `/v1/t/${tenant}/erasures`;
  const one = `${path}/${randomUUID()}`;
  return [
    { path, method: 'POST', body: {}, within: 422 },
    { path, method: 'GET', within: 200 },
    { path: one, method: 'GET', within: NOBODYS },
    { path: `${one}/certificate`, method: 'GET', within: NOBODYS },
    { path: `${one}/undo`, method: 'POST', within: NOBODYS },
  ];
}

export type Doors = Readonly<Record<Scope, readonly Door[]>>;

export const doorsOf = (tenant: string, userId: string): Doors => ({
  ingest: eventDoors(tenant),
  consent: consentDoors(tenant, userId),
  erase: erasureDoors(tenant),
});

type Described = { readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>>>> };

/**
 * What the interface describes of the service beside these doors, where a stranger is turned away:
 * it is for operators, and no scope opens it.
 */
export async function closedDoors(look: Look, doors: Doors): Promise<Door[]> {
  const known = new Set(
    Object.values(doors)
      .flat()
      .map(({ method, path }) => `${method} ${path.replace(/[0-9a-f-]{36}/, '{id}')}`),
  );
  const { paths = {} } = ((await look.http('/openapi.json')).json ?? {}) as Described;
  const closed: Door[] = [];
  for (const [described, methods] of Object.entries(paths)) {
    if (!described.startsWith('/v1/t/{tenant}/')) continue;
    const path = described.replace('{tenant}', look.tenant);
    for (const method of Object.keys(methods).map((name) => name.toUpperCase())) {
      if (known.has(`${method} ${path}`)) continue;
      const body = method === 'GET' ? {} : { body: {} };
      const door = { path: path.replaceAll(/\{\w+\}/g, randomUUID()), method, ...body, within: 0 };
      if (isTurnedAway(await knock(look, undefined, door))) closed.push(door);
    }
  }
  return closed;
}

export const isTurnedAway = (status: number) => status === 401 || status === 403;

/** @returns the status that the door answered to the key. */
export async function knock({ http }: Look, key: string | undefined, door: Door): Promise<number> {
  const { path, method, body, shown } = door;
  const ask: Ask = { method, ...(body ? { body } : {}) };
  if (key === undefined) return (await http(path, ask)).status;
  if (shown === 'in the body')
    return (await http(path, { ...ask, body: { ...body, writeKey: key } })).status;
  const basic = `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
  const headers = shown === 'basic' ? { authorization: basic } : bearer(key);
  return (await http(path, { ...ask, headers })).status;
}
