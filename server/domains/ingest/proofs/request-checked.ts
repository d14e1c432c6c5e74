import { randomBytes } from 'node:crypto';
import { bearer, type Fields, type Look } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, span, term } from '#core/promises';
import { burstFrom, ownAddress } from './from-address.ts';

/** A request as it should be, for one to be changed at a time. */
function goodRequest({ canaries, tenant, policy }: Look) {
  const type = canaries.eventTypes.find((id) => policy.data[id]?.key !== 'subject');
  const event = type === undefined ? {} : canaries.event(type, canaries.person());
  return { type, path: `/v1/t/${tenant}/batch`, event };
}

async function checkKey(look: Look): Promise<Seen> {
  const { path, event } = goodRequest(look);
  const good = await look.canaries.send([event]);
  if (good.status !== 200) return gap(saw`a request with a right key was answered ${good.status}`);
  const [, id = ''] = /^tk_([A-Za-z0-9]+)_/.exec(look.writeKey) ?? [];
  const secret = randomBytes(32).toString('base64url');
  const basic = Buffer.from(`tk_${id}_${secret}:`).toString('base64');
  const wrong: Record<string, string>[] = [
    {},
    { authorization: 'Bearer' },
    { authorization: `Bearer tk_${id}_${secret}` },
    { authorization: `Bearer tk_${id.split('').reverse().join('')}_${secret}` },
    bearer(look.writeKey.slice(0, -1)),
    { authorization: `Basic ${basic}` },
    { authorization: look.writeKey },
  ];
  for (const headers of wrong) {
    const { status } = await look.http(path, { headers, body: { batch: [event] } });
    if (status !== 401) return broken(saw`a request without a right key was answered ${status}`);
  }
  return kept(saw`${wrong.length} requests with no key or a wrong one got 401; the right key 200`);
}

/** JSON in everything but name, and names of JSON with something else inside. */
async function checkForm(look: Look): Promise<Seen> {
  const { path, event } = goodRequest(look);
  const headers = bearer(look.writeKey);
  const good = await look.canaries.send([event]);
  if (good.status !== 200) return gap(saw`a request of JSON was answered ${good.status}`);
  const json = JSON.stringify({ batch: [event] });
  const others = [
    'application/xml',
    'text/html',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'application/jsonp',
  ];
  for (const type of others) {
    const asked = { headers: { ...headers, 'content-type': type }, body: json };
    const { status } = await look.http(path, asked);
    if (status !== 415) return broken(saw`a body of ${term(type)} was answered ${status}`);
  }
  const broken_ = ['a=1&b=2', '<event/>', json.slice(0, -1), ''];
  for (const [at, body] of broken_.entries()) {
    const type = at % 2 === 0 ? 'application/json' : 'text/plain';
    const { status } = await look.http(path, {
      headers: { ...headers, 'content-type': type },
      body,
    });
    if (status !== 400) return broken(saw`a body that is no JSON was answered ${status}`);
  }
  return kept(
    saw`${others.length} other types got 415, ${broken_.length} bodies that are no JSON got 400, JSON
 got 200`,
  );
}

async function checkSchema(look: Look): Promise<string | undefined> {
  const { path, event } = goodRequest(look);
  const headers = bearer(look.writeKey);
  const wrong: Fields[] = [
    { ...event, properties: 'text' },
    { ...event, timestamp: 'yesterday' },
    { ...event, userId: { a: 1 } },
    { ...event, type: 'wish' },
  ];
  for (const one of wrong) {
    const { status } = await look.http(path, { headers, body: { batch: [one] } });
    if (status !== 422) return `a wrong event was answered ${status}`;
  }
  const mixed = await look.canaries.send([event, wrong[0] as object]);
  const { accepted, refused } = mixed.json as { accepted?: number; refused?: { index: number }[] };
  if (accepted !== 1 || refused?.[0]?.index !== 1) return 'a good event went down with a wrong one';
  return undefined;
}

/** More requests than the limit, from an address and with a key that nobody else uses. */
async function checkRate(look: Look): Promise<Seen> {
  const perMinute = look.policy.ingest?.limits?.['requests-per-minute'];
  if (perMinute === undefined) return gap(saw`the policy sets no limit of requests`);
  const wrong = await checkSchema(look);
  if (wrong !== undefined) return broken(saw`${term(wrong)}`);
  const { path, event } = goodRequest(look);
  const mine = { from: ownAddress(), path, key: look.spareKey, body: { batch: [] } };
  const { statuses, retryAfter, tookMs } = await burstFrom(look, mine, perMinute + 1);
  const passed = statuses.get(200) ?? 0;
  if (!statuses.has(429)) {
    if (passed <= perMinute || tookMs > 60_000) return gap(saw`the limit could not be reached`);
    return broken(saw`${passed} requests in ${span(tookMs)} were all taken`);
  }
  if (retryAfter === undefined) return broken(saw`a refusal does not say when to come back`);
  const others = await look.canaries.send([event]);
  if (others.status !== 200) return broken(saw`others were refused for what one sender did`);
  return kept(
    saw`a sender was refused with 429 after ${passed} requests in ${span(tookMs)} and told to wait
 ${Number(retryAfter)} s, others went on; 4 wrong events got 422`,
  );
}

export const requestChecked = defineProof({
  control: 'ingest.request-checked',
  strength: 'protocol',
  blindTo:
    'The limit of events a second of the whole service: to reach it would make real senders wait.',
  async prove(look, { check }) {
    if (check === 'key') return checkKey(look);
    if (check === 'content-type') return checkForm(look);
    if (check === 'rate-and-schema') return checkRate(look);
    return gap(saw`there is no probe for ${term(String(check))}`);
  },
});
