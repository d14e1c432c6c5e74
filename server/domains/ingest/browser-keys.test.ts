/** A browser's key is in everybody's hands: what it may do, and what it may find out. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { authorize } from '#core/policy';
import { samplePolicy } from '#testing/sample-policy';
import { useWorld } from '#testing/world';
import { issueWriteKey, revokeWriteKey } from './index.ts';
import type { Handle } from './model.ts';
import { readWriteKeys } from './store.ts';
import { type Answer, type Door, openDoor } from './testing/small-world.ts';

const PEOPLE = samplePolicy('people').replace(
  'event-names: ["*"]',
  'event-names: [used, "type:identify", "type:alias"]',
);
const asking = (service: string) =>
  PEOPLE.replace('service: people', `service: ${service}`).replace(
    'purposes: [service-delivery, statistics]',
    'purposes: [statistics]',
  );

let door: Door;
const world = useWorld({
  policies: [(service) => PEOPLE.replace('service: people', `service: ${service}`), asking],
  setUp: async (opened) => {
    door = await openDoor(opened);
  },
});
after(() => door?.close());

let people = 0;
const user = (): Handle => ({ kind: 'user', value: `member_${people++}` });
const visitor = (): Handle => ({ kind: 'anonymous', value: `visitor-${people++}` });
const page = () => ({ key: door.pageKeyOf(world.tenant) });

const identify = (from: Handle, to: Handle, sender?: { key: string }) =>
  door.send('/v1/identify', { anonymousId: from.value, userId: to.value }, sender);
const alias = (body: object, sender?: { key: string }) => door.send('/v1/alias', body, sender);
const dropped = ({ body }: Answer) => body['dropped'];

/** Whom an erasure of this person takes along. */
async function taken(person: Handle): Promise<(string | undefined)[]> {
  const { subject } = await door.person(world.tenant, person);
  return (await door.keys.linked(world.tenant, subject)).filter((one) => one !== subject);
}
const idOf = async (handle: Handle) => (await door.person(world.tenant, handle)).subject;

test('with a browser’s key a visitor becomes a person once, and no other person after that', async () => {
  const [own, ada, bob] = [visitor(), user(), user()];
  const first = await identify(own, ada, page());
  assert.deepEqual([first.status, first.body], [200, { success: true, accepted: 1 }]);
  assert.equal((await identify(own, ada, page())).body['accepted'], 1, 'again');
  const second = await identify(own, bob, page());
  assert.deepEqual([second.status, dropped(second)], [200, { 'link-refused': 1 }]);
  assert.deepEqual(await taken(ada), [await idOf(own)]);
  assert.deepEqual(await taken(bob), []);
  const view = await door.ingest.view(world.tenant, '2020-01-01');
  const counted = view.counted.find(({ reason }) => reason === 'link-refused');
  assert.equal(counted?.count, 1);
});

test('with a browser’s key nobody ties two persons together, whatever is called what', async () => {
  const [ada, bob] = [user(), user()];
  const tries = [
    { userId: ada.value, previousId: bob.value },
    { userId: ada.value, previousId: bob.value, anonymousId: 'mine' },
    { userId: ada.value, previousId: 'some-visitor-of-hers' },
  ];
  for (const body of tries) {
    assert.deepEqual(dropped(await alias(body, page())), { 'link-refused': 1 });
  }
  // Its own visitor's id may be called like a person: it is a visitor's all the same.
  await alias({ userId: ada.value, previousId: bob.value, anonymousId: bob.value }, page());
  assert.ok(!(await taken(ada)).includes(await idOf(bob)));
  assert.deepEqual(await taken(bob), []);
});

test('a server’s key links what it says, and stands behind it', async () => {
  const [own, ada, bob] = [visitor(), user(), user()];
  await identify(own, ada);
  assert.equal((await identify(own, bob)).body['accepted'], 1, 'two who share a browser');
  await alias({ userId: ada.value, previousId: bob.value });
  assert.ok((await taken(ada)).includes(await idOf(bob)));
  assert.ok((await taken(bob)).includes(await idOf(ada)), 'two names of one person');
  assert.equal(await door.keys.vouches(world.tenant, own, ada), true);
  const claimed = visitor();
  await identify(claimed, ada, page());
  assert.equal(await door.keys.vouches(world.tenant, claimed, ada), false);
});

test('to a browser’s key the answer is the same whatever a person decided', async () => {
  const tenant = world.tenants[1]!;
  const key = door.pageKeyOf(tenant);
  const [yes, no] = [user(), user()];
  await door.decide(tenant, yes, 'statistics', true);
  await door.decide(tenant, no, 'statistics', false);
  const send = (person: Handle, more: object) =>
    door.send('/v1/track', { event: 'used', userId: person.value }, { ...more });
  const [ofYes, ofNo, unknown] = await Promise.all(
    [yes, no, user()].map((person) => send(person, { key })),
  );
  assert.deepEqual([ofYes?.status, ofYes?.body], [200, { success: true, accepted: 1 }]);
  assert.deepEqual(ofNo?.body, ofYes?.body);
  assert.deepEqual(unknown?.body, ofYes?.body);
  const told = await send(no, { key: door.keyOf(tenant) });
  assert.deepEqual(dropped(told), { 'no-consent': 1 }, 'a server is told');
  const own = await door.send('/v1/track', { event: 'used', anonymousId: 'v' }, { key });
  assert.deepEqual(dropped(own), { 'no-consent': 1 }, 'and a visitor about itself');
  const rows = await door.rows(tenant, 'usage');
  assert.equal(rows.length, 1, 'what was decided is what counts');
});

test('nobody who was erased gets back in under a new name, and a browser’s key is not told who was', async () => {
  const [ada, renamed] = [user(), user()];
  const subject = await idOf(ada);
  const permit = authorize({ tenant: world.tenant, revision: 1 }, world.operator, 'subject.erase');
  await door.keys.destroy(permit, subject, new Date(Date.now() + 60_000));
  const body = { userId: renamed.value, previousId: ada.value };
  assert.deepEqual(dropped(await alias(body)), { 'person-erased': 1 });
  assert.equal(await door.keys.whois(world.tenant, renamed), 'unknown');
  const track = { event: 'used', userId: ada.value };
  assert.deepEqual(dropped(await door.send('/v1/track', track)), { 'person-erased': 1 });
  const asked = await door.send('/v1/track', track, page());
  assert.deepEqual([asked.status, asked.body], [200, { success: true, accepted: 1 }]);
  assert.deepEqual(dropped(await alias(body, page())), { 'link-refused': 1 });
});

test('an id with half a character is no id: two of them would be one person', async () => {
  for (const userId of ['\ud800x', 'x\udc00']) {
    const { status, body } = await door.send('/v1/track', { event: 'used', userId });
    assert.deepEqual([status, body['code']], [422, 'ingest-nothing-kept']);
  }
});

test('a server’s key in a page is refused by name, and a page’s key without a page works', async () => {
  const event = { event: 'used' };
  const headers = { origin: 'https://shop.test' };
  const inPage = await door.send('/v1/track', event, { headers });
  assert.deepEqual(
    [inPage.status, inPage.body['code'], inPage.headers.get('access-control-allow-origin')],
    [403, 'ingest-origin-not-allowed', null],
  );
  assert.equal((await door.send('/v1/track', event, { ...page(), headers })).status, 200);
  assert.equal((await door.send('/v1/track', event, page())).status, 200);
  const permit = authorize(
    { tenant: world.tenant, revision: 1 },
    world.operator,
    'write-key.issue',
  );
  const nowhere = await issueWriteKey(world.db.sql, permit, { origins: [], now: new Date() });
  const refused = await door.send('/v1/track', event, { key: nowhere.text, headers });
  assert.equal(refused.status, 403, 'a page’s key for no origin is for none');
});

test('a key that is issued while the server runs is known by its page’s first question', async () => {
  const origin = 'https://opened-today.test';
  const permit = authorize(
    { tenant: world.tenants[1]!, revision: 1 },
    world.operator,
    'write-key.issue',
  );
  const ask = async () => {
    const headers = { origin, 'access-control-request-method': 'POST' };
    const path = `${door.url}/v1/t/${world.tenants[1]}/batch`;
    return (await fetch(path, { method: 'OPTIONS', headers })).headers;
  };
  // The other keys of this service are for any origin.
  for (const key of await readWriteKeys(world.db.sql)) {
    const revoking = authorize(
      { tenant: key.tenant, revision: 1 },
      world.operator,
      'write-key.revoke',
    );
    if (key.tenant === world.tenants[1])
      await revokeWriteKey(world.db.sql, revoking, key.id, new Date());
  }
  const wait = () => new Promise((done) => setTimeout(done, 200));
  await wait();
  assert.equal((await ask()).get('access-control-allow-origin'), null);
  await issueWriteKey(world.db.sql, permit, { origins: [origin], now: new Date() });
  await wait();
  assert.equal((await ask()).get('access-control-allow-origin'), origin);
});

test('a page reads refusals that come before its key is known, and may read when to come back', async () => {
  const headers = { origin: 'https://shop.test' };
  const refusals = [
    await door.send('/v1/track', {}, { key: '', headers }),
    await door.send('/v1/track', {}, { key: 'tk_wrong', headers }),
    await door.send('/v1/track', {}, { headers: { ...headers, 'content-type': 'text/css' } }),
    await door.send('/v1/track', undefined, { headers, method: 'PUT' }),
  ];
  assert.deepEqual(
    refusals.map(({ status }) => status),
    [401, 401, 415, 405],
  );
  refusals.push(await door.send('/v1/track', { event: 'used' }, { ...page(), headers }));
  for (const answer of refusals) {
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://shop.test');
    assert.match(answer.headers.get('access-control-expose-headers') ?? '', /retry-after/);
    assert.equal(answer.headers.get('vary'), 'origin');
  }
});
