import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { verifyDocument } from '#base/signed-document';
import { readAudit } from '#core/audit';
import type { Handle } from '#domains/consent';
import { openRightsDesk, type RightsDesk } from '#testing/rights-desk';
import { samplePolicy } from '#testing/sample-policy';
import { useWorld } from '#testing/world';
import type { Erasure, ErasureId, ErasureStore } from './index.ts';
import type { Ground } from './model.ts';

const RECOVERABLE = `rights:
  erasure: { within: P30D, recoverable: P30D, unless: [Legal obligation, Contract completion] }
`;
const CAREFUL = `rights:
  erasure: { within: P30D, verification: person, unless: [Legitimate interest] }
`;
const CONFIRMED =
  'promises:\n  - { id: SM-01, says: "confirmed", line: 1, means: "It is confirmed.", control: erasure.request-checked, with: { check: confirmation } }\n';

let desk: RightsDesk;
/** Where a test lets rows remain, or an engine be down. */
const stubborn: ErasureStore & { remains: number; isDown: boolean } = {
  name: 'stubborn',
  remains: 0,
  isDown: false,
  async count(_, subjects) {
    if (this.isDown) throw new Error('down');
    return new Map([['place', new Map(subjects.map((subject) => [subject, this.remains]))]]);
  },
  erase: async () => undefined,
};

const world = useWorld({
  async setUp(opened) {
    desk = await openRightsDesk(opened, { first: [stubborn] });
  },
  policies: [
    samplePolicy,
    (service) => samplePolicy(service, { more: RECOVERABLE }),
    (service) => samplePolicy(service).replace('promises: []\n', CONFIRMED),
    (service) => samplePolicy(service, { more: CAREFUL }),
  ],
});
after(() => desk?.close());

const someone = (): Handle => ({ kind: 'user', value: `person-${randomBytes(8).toString('hex')}` });
const [first, undoable, confirming, careful] = [0, 1, 2, 3] as const;
type Service = 0 | 1 | 2 | 3;
const tomorrow = () => new Date(world.clock.now().getTime() + 86_400_000);
const at = (index: Service) => desk.asker(world.tenants[index]);

async function finished(erasure: Erasure, index: Service = first): Promise<Erasure> {
  await desk.rights.walk();
  const seen = await desk.rights.read(at(index), erasure.id);
  assert.equal(seen.erasure.state, 'done', JSON.stringify(seen));
  return seen.erasure;
}

const receiptsOf = async (handle: Handle, index: Service = first) =>
  (
    await desk.consent.overview(
      { ...at(index), handle },
      { signals: { gpc: false, dnt: false, doNotSell: false } },
    )
  ).receipts.length;

type Certificate = {
  found: string;
  people: number;
  complete: boolean;
  says: string;
  keys: { destroyed: number };
  stores: { store: string; place: string; counted: number; remains: number }[];
  search: {
    places: { store: string; searched: boolean; found: number; because: string | null }[];
  };
};

async function certified({ id }: Erasure, index: Service = first): Promise<Certificate> {
  const signed = await desk.rights.certificate(at(index), id);
  const verified = verifyDocument(JSON.parse(JSON.stringify(signed)));
  assert.ok(!('failure' in verified));
  assert.equal(verified.kind, 'erasure-certificate');
  return verified.document as Certificate;
}

test('an erasure takes the key, the receipts and the way back to the person', async () => {
  const ada = someone();
  await desk.meet(ada);
  assert.equal(await receiptsOf(ada), 1);
  const { erasure, isNew } = await desk.rights.request(at(first), { handle: ada });
  assert.ok(isNew && erasure.keyDestroyedAt, 'the key is gone when the demand is answered');
  assert.equal(await desk.keys.whois(world.tenant, ada), 'erased');
  await finished(erasure);
  assert.equal(await receiptsOf(ada), 0);
  const says = await certified(erasure);
  assert.deepEqual([says.found, says.people, says.keys.destroyed], ['known', 1, 1]);
  const receipts = says.stores.find(({ place }) => place === 'consent_receipts');
  assert.deepEqual([receipts?.counted, receipts?.remains], [1, 0]);
});

test('a store that nobody here can look at is named, and nothing is claimed of it', async () => {
  const ada = someone();
  await desk.meet(ada);
  const { erasure } = await desk.rights.request(at(first), { handle: ada });
  await finished(erasure);
  const { complete, says, search } = await certified(erasure);
  assert.equal(complete, false);
  assert.match(says, /Not searched.*clickhouse/);
  const searched = search.places.filter((place) => place.searched).map(({ store }) => store);
  assert.deepEqual(searched.sort(), ['keyring', 'logs', 'objects', 'rest']);
});

test('whoever is linked to the person goes with them', async () => {
  const [ada, device] = [someone(), { ...someone(), kind: 'anonymous' as const }];
  await desk.meet(ada);
  await desk.meet(device);
  await desk.keys.link(world.tenant, device, ada);
  const { erasure } = await desk.rights.request(at(first), { handle: ada });
  await finished(erasure);
  assert.equal((await certified(erasure)).people, 2);
  assert.equal(await desk.keys.whois(world.tenant, device), 'erased');
});

test('nobody of this name is held: the certificate says so, and an erased person says so too', async () => {
  const nobody = someone();
  const unknown = await desk.rights.request(at(first), { handle: nobody });
  await finished(unknown.erasure);
  const says = await certified(unknown.erasure);
  assert.deepEqual([says.found, says.people, says.stores], ['unknown', 0, []]);
  assert.match(says.says, /Nothing is held/);

  const ada = someone();
  await desk.meet(ada);
  await finished((await desk.rights.request(at(first), { handle: ada })).erasure);
  const again = await desk.rights.request(at(first), { handle: ada });
  await finished(again.erasure);
  assert.equal((await certified(again.erasure)).found, 'erased-before');
});

test('a name that is a common word keeps nobody from being erased, and the certificate says where it stands', async () => {
  // Every control that is planted begins with it.
  const [word, other] = [{ kind: 'user' as const, value: 'troth-control' }, someone()];
  for (const handle of [word, other]) await desk.meet(handle);
  const { erasure } = await desk.rights.request(at(first), { handle: word });
  const beside = await desk.rights.request(at(first), { handle: other });
  await finished(erasure);
  await finished(beside.erasure);
  const { complete, says, search } = await certified(erasure);
  assert.deepEqual([complete, search.places.every(({ found }) => found === 0)], [false, true]);
  assert.match(says, /The name itself stands in logs, rest/);
  assert.doesNotMatch((await certified(beside.erasure)).says, /stands in/);
});

test('ten demands at once for one person are one erasure', async () => {
  const ada = someone();
  await desk.meet(ada);
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => desk.rights.request(at(first), { handle: ada })),
  );
  const known = answers.filter(({ erasure }) => erasure.found === 'known');
  assert.ok(known.length >= 1);
  assert.equal(new Set(known.map(({ erasure }) => erasure.id)).size, 1);
  assert.equal(
    answers.filter(({ isNew, erasure }) => isNew && erasure.found === 'known').length,
    1,
  );
});

test('a demand sent again under its key is the same one; the key of another is refused', async () => {
  const [ada, bob] = [someone(), someone()];
  await desk.meet(ada);
  await desk.meet(bob);
  const demand = { handle: ada, repeatKey: `key-${ada.value}` };
  const { erasure } = await desk.rights.request(at(first), demand);
  const again = await desk.rights.request(at(first), demand);
  assert.deepEqual([again.erasure.id, again.isNew], [erasure.id, false]);
  await assert.rejects(desk.rights.request(at(first), { ...demand, handle: bob }), {
    code: 'repeat-key-reused',
  });
});

test('where the policy promises it, an erasure that is not confirmed is refused', async () => {
  const handle = someone();
  for (const confirm of [undefined, false]) {
    await assert.rejects(desk.rights.request(at(confirming), { handle, confirm }), {
      code: 'erasure-not-confirmed',
    });
  }
  const { erasure } = await desk.rights.request(at(confirming), { handle, confirm: true });
  assert.equal(erasure.found, 'unknown');
});

test('a recoverable erasure hides at once, can be undone on day 29, and not on day 31', async () => {
  const [ada, bob] = [someone(), someone()];
  for (const handle of [ada, bob]) await desk.meet(handle, world.tenants[undoable]);
  const asker = at(undoable);
  const demands = [];
  for (const handle of [ada, bob]) demands.push(await desk.rights.request(asker, { handle }));
  const [adas, bobs] = demands.map(({ erasure }) => erasure);
  assert.ok(adas && bobs);
  assert.deepEqual([adas.state, adas.keyDestroyedAt], ['hidden', null]);
  assert.equal(await receiptsOf(ada, undoable), 0, 'nobody sees her');

  world.clock.advance(29 * 86_400_000);
  await desk.rights.walk();
  await desk.rights.undo(asker, adas.id);
  assert.equal(await receiptsOf(ada, undoable), 1);
  assert.equal((await desk.rights.undo(asker, adas.id)).state, 'undone', 'twice is once');

  world.clock.advance(2 * 86_400_000);
  await finished(bobs, undoable);
  await assert.rejects(desk.rights.undo(asker, bobs.id), { code: 'erasure-not-undoable' });
  assert.equal(await desk.keys.whois(asker.inForce.tenant, bob), 'erased');
});

test('a demand for complete erasure cannot be undone, whatever the policy allows', async () => {
  const ada = someone();
  await desk.meet(ada, world.tenants[undoable]);
  const { erasure } = await desk.rights.request(at(undoable), { handle: ada, complete: true });
  assert.equal(erasure.state, 'shredded');
  await assert.rejects(desk.rights.undo(at(undoable), erasure.id), {
    code: 'erasure-not-undoable',
  });
  await finished(erasure, undoable);
});

test('a hold on a published ground stops an erasure until it is lifted', async () => {
  const ada = someone();
  await desk.meet(ada, world.tenants[undoable]);
  const asker = at(undoable);
  const hold = await desk.rights.placeHold(asker, { handle: ada, ground: 'legal-obligation' });
  const { erasure } = await desk.rights.request(asker, { handle: ada, complete: true });
  assert.deepEqual([erasure.state, erasure.ground], ['held', 'legal-obligation']);
  await desk.rights.walk();
  assert.equal(await receiptsOf(ada, undoable), 1, 'what is held is there');
  await desk.rights.liftHold(asker, hold.id);
  await finished(erasure, undoable);
  await assert.rejects(desk.rights.liftHold(asker, hold.id), { code: 'hold-unknown' });
});

test('a hold needs a ground that the policy publishes, and a person who is known', async () => {
  const ada = someone();
  await desk.meet(ada);
  const place = (index: 0 | 1, handle: Handle, ground: Ground) =>
    desk.rights.placeHold(at(index), { handle, ground, until: tomorrow() });
  await assert.rejects(place(first, ada, 'contract'), { code: 'hold-without-ground' });
  await assert.rejects(place(undoable, ada, 'legitimate-interest'), {
    code: 'hold-without-ground',
  });
  await assert.rejects(place(undoable, someone(), 'contract'), { code: 'hold-unknown' });
});

test('a hold for a contract has an end, and the erasure goes on when it is over', async () => {
  const ada = someone();
  await desk.meet(ada, world.tenants[undoable]);
  const asker = at(undoable);
  const ground = 'contract' as const;
  await assert.rejects(desk.rights.placeHold(asker, { handle: ada, ground }), {
    code: 'hold-incomplete',
  });
  const over = { handle: ada, ground, until: new Date(world.clock.now().getTime() - 1) };
  await assert.rejects(desk.rights.placeHold(asker, over), { code: 'hold-incomplete' });
  await desk.rights.placeHold(asker, { handle: ada, ground, until: tomorrow() });
  const { erasure } = await desk.rights.request(asker, { handle: ada, complete: true });
  assert.deepEqual([erasure.state, erasure.ground], ['held', 'contract']);
  world.clock.advance(25 * 3_600_000);
  await finished(erasure, undoable);
});

test('a legitimate interest needs an approver and a written balancing test', async () => {
  const ada = someone();
  await desk.meet(ada, world.tenants[careful]);
  const asker = at(careful);
  const asked = { handle: ada, ground: 'legitimate-interest' as const };
  const assessment = 'a'.repeat(64);
  for (const lacking of [{}, { approver: 'dpo' }, { assessment }]) {
    await assert.rejects(desk.rights.placeHold(asker, { ...asked, ...lacking }), {
      code: 'hold-incomplete',
    });
  }
  const hold = await desk.rights.placeHold(asker, { ...asked, approver: 'dpo', assessment });
  assert.deepEqual([hold.approver, hold.assessment], ['dpo', assessment]);
});

test('where the policy promises it, support says how it verified who asks', async () => {
  const handle = someone();
  await assert.rejects(desk.rights.request(at(careful), { handle }), {
    code: 'erasure-not-verified',
  });
  const wanted = { handle, verified: 'call-back' };
  const { erasure } = await desk.rights.request(at(careful), wanted);
  assert.equal(erasure.verified, 'call-back');
});

test('rows that remain, or an engine that is down, are never reported as done', async () => {
  const ada = someone();
  await desk.meet(ada);
  stubborn.remains = 3;
  const { erasure } = await desk.rights.request(at(first), { handle: ada });
  await desk.rights.walk();
  const seen = await desk.rights.read(at(first), erasure.id);
  assert.deepEqual([seen.erasure.state, seen.erasure.trouble], ['shredded', 'rows-left']);
  await assert.rejects(desk.rights.certificate(at(first), erasure.id), {
    code: 'erasure-not-finished',
  });
  Object.assign(stubborn, { remains: 0, isDown: true });
  await desk.rights.walk();
  assert.equal((await desk.rights.read(at(first), erasure.id)).erasure.trouble, 'went-wrong');
  stubborn.isDown = false;
  await finished(erasure);
  const place = (await certified(erasure)).stores.find(({ store }) => store === 'stubborn');
  assert.deepEqual([place?.counted, place?.remains], [3, 0]);
});

test('an erasure of another service, or of none, is not found', async () => {
  const { erasure } = await desk.rights.request(at(first), { handle: someone() });
  const none = '00000000-0000-4000-8000-000000000000' as string as ErasureId;
  await assert.rejects(desk.rights.read(at(undoable), erasure.id), { code: 'erasure-unknown' });
  await assert.rejects(desk.rights.read(at(first), none), { code: 'erasure-unknown' });
});

test('the audit log tells of each step by the opaque id, and never by the handle', async () => {
  const ada = someone();
  await desk.meet(ada);
  const { erasure } = await desk.rights.request(at(first), { handle: ada });
  await finished(erasure);
  const entries = await readAudit(world.db, { tenant: world.tenant, limit: 1_000 });
  const told = entries.filter(({ subject }) => subject === erasure.subject);
  assert.deepEqual(
    told.map(({ event }) => event),
    ['consent.recorded', 'erasure.requested', 'subject-keys.destroyed', 'erasure.completed'],
  );
  assert.ok(!JSON.stringify(entries).includes(ada.value));
});

test('an erased person agrees to nothing and is not made known again by a decision', async () => {
  const ada = someone();
  await desk.meet(ada);
  const { erasure } = await desk.rights.request(at(first), { handle: ada });
  await assert.rejects(desk.meet(ada), { code: 'consent-person-erased' });
  await finished(erasure);
  world.clock.advance(31 * 86_400_000);
  await desk.rights.endLateWindows();
  await desk.meet(ada);
  const back = await desk.keys.whois(world.tenant, ada);
  assert.ok(back !== 'erased' && back !== 'unknown' && back !== erasure.subject, 'somebody new');
});

test('a demand near the end of its time is told of once, one that is young is not', async () => {
  const [old, young] = [someone(), someone()];
  for (const handle of [old, young]) await desk.meet(handle, world.tenants[undoable]);
  const asker = at(undoable);
  const told: string[] = [];
  const watch = () =>
    desk.rights.watchDeadlines(async (_, { late }) => {
      told.push(...late.map(({ subject }) => subject ?? ''));
    });
  const first = await desk.rights.request(asker, { handle: old });
  world.clock.advance(58 * 86_400_000);
  await desk.rights.request(asker, { handle: young });
  await watch();
  await watch();
  assert.equal(told.filter((subject) => subject === first.erasure.subject).length, 1);
  assert.equal(told.length, new Set(told).size);
  const { erasure } = await desk.rights.read(asker, first.erasure.id);
  assert.ok(erasure.alarmedAt);
});

test('nothing that names a row of a person is copied into the statistics of the engine', async () => {
  const sampled = await world.db.admin<{ place: string }[]>`
    select attrelid::regclass || '.' || attname as place
    from pg_attribute
    join pg_class on pg_class.oid = attrelid
    where (relname, attname) in (('consent_receipts', 'id'), ('consent_receipts', 'overrules'),
                                 ('inbox', 'body'), ('inbox_stuck', 'body'))
      and attstattarget is distinct from 0`;
  assert.deepEqual([...sampled], []);
});
