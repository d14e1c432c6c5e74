import type { Look, Told } from '#core/looking';
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

const isRefused = ({ status }: Told) => status === 401 || status === 403;

/** Of the requests from elsewhere that the session has to be checked for: how many, and let in. */
async function askedFromElsewhere(
  at: Look,
  method: string,
  path: string,
): Promise<{ asked: number; accepted: number }> {
  let [asked, accepted] = [0, 0];
  for (const headers of ELSEWHERE) {
    const ask = { method, headers, body: '{"nothing":true}' };
    // What anybody may ask for needs no session to be abused.
    if (!path.startsWith('/v1/operator/') && !isRefused(await at.http(path, ask))) continue;
    const told = ENDS_SESSION.test(path)
      ? await at.http(path, { ...ask, headers: { ...headers, cookie: `troth_operator=${NOBODY}` } })
      : await at.operator(path, ask);
    asked += 1;
    if (!isRefused(told)) accepted += 1;
  }
  return { asked, accepted };
}

export const csrf = defineProof({
  control: 'web.csrf',
  strength: 'protocol',
  blindTo: 'Sessions of people: this version has none, only the operator is signed in by a cookie.',
  async prove(at) {
    const changing = (await operationsOf(at)).filter(({ method }) => method !== 'GET');
    const open: string[] = [];
    const guarded = { operator: 0, others: 0, asked: 0 };
    for (const { method, path } of changing) {
      const at_ = filled(at, path);
      const { asked, accepted } = await askedFromElsewhere(at, method, at_);
      if (asked === 0) continue;
      guarded[path.startsWith('/v1/operator/') ? 'operator' : 'others'] += 1;
      guarded.asked += asked;
      if (accepted > 0) open.push(`${method} ${at_}`);
    }
    const { operator, others, asked } = guarded;
    if (operator === 0 || others === 0) return gap(saw`no route was found that a cookie opens`);
    if (open.length > 0) return broken(saw`another site may ask ${terms(open)}`);
    return kept(
      saw`${asked} of ${asked} requests from elsewhere were refused, at ${operator + others} routes that are not for everybody`,
    );
  },
});
