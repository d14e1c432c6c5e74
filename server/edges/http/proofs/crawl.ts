import { asClient, type Look, type Told } from '#core/looking';

/** An answer to a stranger, and what was asked. */
export type Visited = { readonly method: string; readonly path: string; readonly told: Told };

type Operation = { readonly method: string; readonly path: string };

const PAGES = ['/', '/operator', '/problems/not-found', '/nothing-is-here', '/mark.svg'];
const CLIENTS = ['/sdk/troth.js', '/sdk/index.js', '/sdk/magenta.js'];
/** An answer without an end. */
const ENDLESS = /\/stream$/;

/** What the server says that it serves. Parameters stand in braces. */
export async function operationsOf(look: Look): Promise<Operation[]> {
  const { json } = await look.http('/openapi.json');
  const { paths = {} } = (json ?? {}) as { paths?: Record<string, Record<string, unknown>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
  );
}

/** The path with the service and, for everything else, a word. */
export const filled = (look: Look, path: string, word = 'nothing') =>
  path.replaceAll(/\{([A-Za-z]+)\}/g, (_, name) => (name === 'tenant' ? look.tenant : word));

const assetsOf = (html: string) =>
  [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '');

/** What a client with a write key asks for, and is given: an event is taken, consent is answered. */
async function taken(look: Look): Promise<Visited[]> {
  const person = await look.canaries.agreeing();
  const handle = { userId: person.userId };
  const [dataType] = look.canaries.eventTypes;
  if (dataType === undefined) throw new Error('no type takes an event to look by');
  const batch = `/v1/t/${look.tenant}/batch`;
  const told = await look.canaries.send([look.canaries.event(dataType, person)]);
  const visited: Visited[] = [{ method: 'POST', path: batch, told }];
  for (const [method, path, body] of [
    ['POST', '/consents/status', { handle }],
    ['PUT', '/consents/preferences', { handle, preferences: {} }],
    ['POST', '/consents/withdraw', { handle }],
  ] as const) {
    const answer = await asClient(look, path, { method, body });
    visited.push({ method, path: `/v1/t/${look.tenant}${path}`, told: answer });
  }
  const refused = visited.filter((one) => one.told.status >= 300);
  if (refused.length > 0) throw new Error(`refused: ${refused.map(({ path }) => path).join(' ')}`);
  return visited;
}

/**
 * Visits every page, file and interface that answers a GET, as somebody without any key; and sends
 * one request that is refused to each door that takes a POST or PUT, and to those that clients use
 * one that is taken.
 *
 * @throws Error when a client with a write key is refused: then it was not seen.
 */
export async function crawl(look: Look): Promise<Visited[]> {
  const operations = await operationsOf(look);
  const home = await look.http('/');
  const gets = [
    ...PAGES,
    ...CLIENTS,
    `/services/${look.tenant}`,
    ...assetsOf(home.text),
    ...operations
      .filter(({ method, path }) => method === 'GET' && !ENDLESS.test(path))
      .map(({ path }) => filled(look, path)),
  ];
  const changes = operations.filter(({ method }) => method === 'POST' || method === 'PUT');
  const asked = [
    ...[...new Set(gets)].map((path) => ({ method: 'GET', path })),
    ...changes.map(({ method, path }) => ({ method, path: filled(look, path) })),
  ];
  const visited: Visited[] = [];
  for (const { method, path } of asked) {
    const body = method === 'GET' ? {} : { body: { nothing: true } };
    const accept = path.startsWith('/v1/') ? '*/*' : 'text/html, */*';
    visited.push({
      method,
      path,
      told: await look.http(path, { method, headers: { accept }, ...body }),
    });
  }
  return [...visited, ...(await taken(look))];
}

export const isHtml = ({ told }: Visited) =>
  told.headers.get('content-type')?.startsWith('text/html') === true;

/** Whether the crawl saw enough to judge by: the pages came, and so did the doors. */
export const sawEnough = (visited: readonly Visited[]) =>
  visited.length >= 20 && visited.filter(isHtml).length >= 4;
