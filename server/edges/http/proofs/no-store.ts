import { asClient, type Look, type Told } from '#core/looking';
import { broken, defineProof, gap, kept, saw, terms } from '#core/promises';
import { filled, operationsOf } from './crawl.ts';

const isStored = ({ headers }: Told) => !/\bno-store\b/.test(headers.get('cache-control') ?? '');
const ENDLESS = /\/stream$/;
/** Two answers of a moment apart may differ because something was found in between. */
const TRIES = 4;

/** Answers about one person: each must forbid to be kept. */
async function aboutPerson(at: Look): Promise<[string, Told][]> {
  const person = await at.canaries.agreeing();
  const handle = { userId: person.userId };
  const told = (path: string, method: string, body: object) =>
    asClient(at, `/consents${path}`, { method, body });
  const [dataType = ''] = at.canaries.eventTypes;
  const seen: [string, Told][] = [
    ['consent status', await told('/status', 'POST', { handle })],
    ['consent change', await told('/preferences', 'PUT', { handle, preferences: {} })],
  ];
  if (dataType !== '') {
    const event = at.canaries.event(dataType, person);
    seen.push(['event', await at.canaries.send([event])]);
  }
  return seen;
}

/** What anybody gets may be kept; what only somebody gets may not. */
async function keptThoughOwn(at: Look): Promise<{ asked: number; kept: string[] }> {
  const paths = (await operationsOf(at))
    .filter(({ method, path }) => method === 'GET' && !ENDLESS.test(path))
    .map(({ path }) => filled(at, path));
  const found: string[] = [];
  for (const path of paths) {
    let differs = false;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const [own, anybody] = [await at.operator(path), await at.http(path)];
      differs = isStored(own) && own.text !== anybody.text;
      if (!differs) break;
    }
    if (differs) found.push(path);
  }
  return { asked: paths.length, kept: found };
}

export const noStore = defineProof({
  control: 'web.no-store',
  strength: 'protocol',
  blindTo: 'A cache on the way that keeps what it was told not to.',
  async prove(at) {
    const person = await aboutPerson(at);
    const failed = person.filter(([, { status }]) => status >= 400);
    if (failed.length > 0)
      return gap(saw`the canary was refused: ${terms(failed.map(([name]) => name))}`);
    const stored = person.filter(([, told]) => isStored(told)).map(([name]) => name);
    if (stored.length > 0)
      return broken(saw`answers about a person may be cached: ${terms(stored)}`);
    const own = await keptThoughOwn(at);
    if (own.kept.length > 0)
      return broken(saw`answers for one person only may be cached: ${terms(own.kept)}`);
    return kept(
      saw`${person.length} of ${person.length} answers about a person forbid caching; of ${own.asked} others, none that may be cached differs between people`,
    );
  },
});
