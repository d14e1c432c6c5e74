import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, terms } from '#core/promises';
import { filled, operationsOf } from './crawl.ts';

/** How a page of another site can ask in the name of somebody who is signed in. */
const ELSEWHERE: readonly Readonly<Record<string, string>>[] = [
  { origin: 'https://elsewhere.example', 'content-type': 'text/plain' },
  { 'sec-fetch-site': 'cross-site', 'content-type': 'application/x-www-form-urlencoded' },
  // Of the same site to a browser, since a port is no part of it; yet another program.
  {
    origin: 'http://localhost:1',
    'sec-fetch-site': 'same-site',
    'content-type': 'application/json',
  },
];

/** Nothing is done by it, were it let in: it ends the session, and this one was never begun. */
const ENDS_SESSION = /\/leave$/;
const NOBODY = 'A'.repeat(43);

async function letIn(at: Look, method: string, path: string): Promise<number> {
  let accepted = 0;
  for (const headers of ELSEWHERE) {
    const ask = { method, headers, body: '{"nothing":true}' };
    const told = ENDS_SESSION.test(path)
      ? await at.http(path, { ...ask, headers: { ...headers, cookie: `troth_operator=${NOBODY}` } })
      : await at.operator(path, ask);
    if (told.status !== 401 && told.status !== 403) accepted += 1;
  }
  return accepted;
}

export const csrf = defineProof({
  control: 'web.csrf',
  strength: 'protocol',
  blindTo: 'Sessions of people: this version has none, only the operator is signed in by a cookie.',
  async prove(at) {
    const changing = (await operationsOf(at)).filter(
      ({ method, path }) => method !== 'GET' && path.startsWith('/v1/operator/'),
    );
    if (changing.length === 0) return gap(saw`no route was found that a cookie opens`);
    const open: string[] = [];
    for (const { method, path } of changing) {
      const at_ = filled(at, path);
      if ((await letIn(at, method, at_)) > 0) open.push(`${method} ${at_}`);
    }
    const asked = changing.length * ELSEWHERE.length;
    if (open.length > 0) return broken(saw`another site may ask ${terms(open)}`);
    return kept(
      saw`${asked} of ${asked} requests from elsewhere were refused, at ${changing.length} routes`,
    );
  },
});
