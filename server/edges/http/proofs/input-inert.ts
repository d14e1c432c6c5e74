import { setTimeout as sleep } from 'node:timers/promises';
import { asClient, bearer, type Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, terms } from '#core/promises';
import { filled, operationsOf } from './crawl.ts';
import { type Answered, ask } from './raw.ts';
import { storedAsText } from './stored-text.ts';

const MARKUP = '<script>alert(1)</script><img src=x onerror=alert(1)>';
const HOSTILE = [
  MARKUP,
  "'; drop table troth.policies; --",
  '../../../../etc/passwd',
  '{{7*7}}#{7*7}',
  `%00\u0000${'A'.repeat(300)}`,
];

const ENDLESS = /\/stream$/;

const RETRY_WITHIN_S = 5;
const RETRIES_AT_MOST = 5;

/** A server that says when to come back has read nothing of what it was sent. */
const isBusy = ({ status, retryAfter }: Answered) => status === 503 && retryAfter !== undefined;

/** Text that a browser would take for markup, or that speaks of what runs behind the door. */
function isHarmful(told: Answered): boolean {
  const { type, text, status } = told;
  const isPage = /html|svg|xml|javascript/.test(type);
  const isMarkup = isPage && (text.includes('<script>alert(1)') || text.includes('<img src=x'));
  const hasFailed = status >= 500 && !isBusy(told);
  return isMarkup || hasFailed || text.includes('root:x:0:0') || text.includes('{{49}}#{49}');
}

type Heard = {
  readonly signal: AbortSignal;
  asked: number;
  busy: number;
  retries: number;
  readonly harmful: Set<string>;
};

/** Asks one door, and again where it asks for that; notes what came of it. */
async function hear(heard: Heard, name: string, tell: () => Promise<Answered>): Promise<void> {
  const { signal } = heard;
  heard.asked += 1;
  let told = await tell();
  while (isBusy(told) && heard.retries < RETRIES_AT_MOST) {
    heard.retries += 1;
    await sleep(Math.min(told.retryAfter ?? 0, RETRY_WITHIN_S) * 1_000, undefined, { signal });
    told = await tell();
  }
  if (isBusy(told)) heard.busy += 1;
  if (isHarmful(told)) heard.harmful.add(name);
}

/** Asks every door with every hostile text: in the address, in the query and in the body. */
async function askAll(at: Look): Promise<Heard> {
  const operations = (await operationsOf(at)).filter(({ path }) => !ENDLESS.test(path));
  const heard: Heard = { signal: at.signal, asked: 0, busy: 0, retries: 0, harmful: new Set() };
  for (const { method, path } of operations) {
    for (const text of HOSTILE) {
      const word = encodeURIComponent(text.replaceAll('\u0000', ''));
      const place = `${filled(at, path, word)}?q=${word}&userId=${word}`;
      const body = { [text]: text, text, tenant: text, userId: text, batch: [{ type: text }] };
      const headers = {
        ...bearer(at.writeKey),
        accept: 'text/html',
        'sec-fetch-mode': 'navigate',
      };
      const more = { method, headers, ...(method === 'GET' ? {} : { body }) };
      await hear(heard, `${method} ${path}`, () => ask(at, place, more));
    }
  }
  for (const text of HOSTILE) {
    const word = encodeURIComponent(text.replaceAll('\u0000', ''));
    for (const place of [`/${word}`, `/problems/${word}`, `/services/${word}`, `/sdk/${word}`]) {
      const headers = { 'sec-fetch-mode': 'navigate' };
      await hear(heard, `GET ${place.split('/')[1]}`, () => ask(at, place, { headers }));
    }
  }
  return heard;
}

/** A hostile name for a person is a name and nothing else: nobody else's record answers to it. */
async function isName(at: Look): Promise<boolean | undefined> {
  const person = await at.canaries.agreeing();
  const statusOf = async (userId: string) => {
    const told = await asClient(at, '/consents/status', {
      body: { handle: { userId } },
    });
    return { status: told.status, receipts: (told.json as { receipts?: unknown[] })?.receipts };
  };
  const own = await statusOf(person.userId);
  const other = await statusOf(`${person.userId}' or '1'='1`);
  if (own.status !== 200) return undefined;
  return other.status >= 400 || (other.status === 200 && (other.receipts?.length ?? 0) === 0);
}

export const inputInert = defineProof({
  control: 'web.input-inert',
  strength: 'protocol',
  blindTo: 'Attacks of kinds that are not among the texts it sends.',
  async prove(at) {
    const name = await isName(at);
    if (name === undefined) return gap(saw`the canary's own record did not answer`);
    if (!name) return broken(saw`a hostile name for a person opened the record of another`);
    const { asked, busy, harmful } = await askAll(at);
    if (asked < 50) return gap(saw`only ${asked} requests could be made`);
    if (harmful.size > 0)
      return broken(saw`hostile input came back alive, or broke ${terms([...harmful])}`);
    if (busy > 0) return gap(saw`${busy} of ${asked} requests were put off by a busy server`);
    const text = await storedAsText(at);
    if (text.state !== 'kept') return text;
    const [row] = await at.sql<{ there: boolean }[]>`
      select to_regclass('troth.policies') is not null as there`;
    if (!row?.there) return broken(saw`a table is gone`);
    return kept(
      saw`${asked} hostile requests were refused or answered as harmless text; ${text.saw}`,
    );
  },
});
