import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { truncateSync } from 'node:fs';
import { after, test } from 'node:test';
import type { Handle } from '#domains/consent';
import { openRightsDesk, type RightsDesk } from '#testing/rights-desk';
import { samplePolicy } from '#testing/sample-policy';
import { useWorld } from '#testing/world';

let desk: RightsDesk;
const world = useWorld({
  async setUp(opened) {
    desk = await openRightsDesk(opened);
  },
  policies: [
    (service) =>
      samplePolicy(service, {
        more: 'rights:\n  erasure: { recoverable: P30D, unless: [Contract] }\n',
      }),
  ],
});
after(() => desk?.close());

const someone = (): Handle => ({ kind: 'user', value: `person-${randomBytes(8).toString('hex')}` });

/** As if the database had been restored from before the demands. */
const restore = () =>
  world.db.admin.unsafe(
    'truncate troth.erasures, troth.hidden_subjects, troth.holds, troth.forget_replays cascade',
  );

test('a restored database forgets again: who was erased, who was hidden, and not who came back', async () => {
  const [gone, away, back, held] = [someone(), someone(), someone(), someone()];
  for (const handle of [gone, away, back, held]) await desk.meet(handle);
  const asker = desk.asker();
  const erased = await desk.rights.request(asker, { handle: gone, complete: true });
  const hidden = await desk.rights.request(asker, { handle: away });
  const undone = await desk.rights.request(asker, { handle: back });
  await desk.rights.undo(asker, undone.erasure.id);
  await desk.rights.placeHold(asker, {
    handle: held,
    ground: 'contract',
    until: new Date(world.clock.now().getTime() + 86_400_000),
  });
  await desk.rights.walk();
  await desk.rights.close();
  await restore();

  const rights = await desk.reopen();
  const again = await rights.list(asker);
  const subjects = again.map(({ subject, state, reason }) => [subject, state === 'hidden', reason]);
  assert.deepEqual(
    new Set(subjects.map((each) => JSON.stringify(each))),
    new Set([
      JSON.stringify([erased.erasure.subject, false, 'replayed']),
      JSON.stringify([hidden.erasure.subject, true, 'replayed']),
    ]),
  );
  assert.equal((await rights.holds(asker)).length, 1);
  await rights.walk();
  const done = (await rights.list(asker)).find(({ subject }) => subject === erased.erasure.subject);
  assert.equal(done?.state, 'done');
  assert.equal(await desk.keys.whois(world.tenant, back), undone.erasure.subject);
});

test('what was heard is not replayed again, unless a restore asks for all of it', async () => {
  const known = async () => (await desk.rights.list(desk.asker())).length;
  const asked = await known();
  await desk.reopen();
  assert.equal(await known(), asked);
  await desk.reopen({ again: true });
  assert.equal(
    await known(),
    asked + 1,
    'who is done is walked once more; who is under way is not',
  );
});

test('a restored erasure whose own key is gone since is walked to its end all the same', async () => {
  const ada = someone();
  await desk.meet(ada);
  const asker = desk.asker();
  const { erasure } = await desk.rights.request(asker, { handle: ada, complete: true });
  const { admin } = world.db;
  const [kept] = await admin<{ sealed: Buffer }[]>`
    select sealed from troth.erasures where id = ${erasure.id}`;
  await desk.rights.walk();
  assert.equal((await desk.rights.read(asker, erasure.id)).erasure.state, 'done');
  await admin`
    update troth.erasures
    set state = 'shredded', certificate = null, finished_at = null, sealed = ${kept?.sealed ?? null}
    where id = ${erasure.id}`;
  await admin`delete from troth.erasure_ledger where erasure = ${erasure.id}`;
  await desk.reopen();
  await desk.rights.walk();
  const seen = await desk.rights.read(asker, erasure.id);
  assert.deepEqual([seen.erasure.state, seen.erasure.trouble], ['done', null]);
});

test('a damaged audit log of a service keeps nobody from being hidden again, only keys wait', async () => {
  const ada = someone();
  await desk.meet(ada);
  const asker = desk.asker();
  const { erasure } = await desk.rights.request(asker, { handle: ada, complete: true });
  await desk.rights.walk();
  await desk.rights.close();
  await restore();
  const { admin } = world.db;
  await admin`
    insert into troth.audit_trees (tenant, failure, place, since)
    values (${world.tenant}, 'entry-damaged', '256', now())
    on conflict (tenant) do update
    set failure = excluded.failure, place = excluded.place, since = excluded.since`;

  const rights = await desk.reopen();
  const { subject } = erasure;
  assert.ok(subject && desk.hidden.has(world.tenant, subject));
  const find = async () => (await rights.list(asker)).find((one) => one.subject === subject);
  await rights.walk();
  const waiting = await find();
  assert.deepEqual([waiting?.state, waiting?.trouble], ['recorded', 'audit-log-damaged']);
  await assert.rejects(rights.request(asker, { handle: someone() }), {
    code: 'audit-log-damaged',
    detail: new RegExp(`^The log of ${world.tenant}: entry-damaged at 256`),
  });

  await admin`
    update troth.audit_trees set failure = null, place = null, since = null
    where tenant = ${world.tenant}`;
  world.clock.advance(60_000);
  await rights.walk();
  assert.equal((await find())?.state, 'done');
});

test('a journal that lost what this database has heard stops the start', async () => {
  const ada = someone();
  await desk.meet(ada);
  await desk.rights.request(desk.asker(), { handle: ada, complete: true });
  await desk.reopen();
  truncateSync(desk.journalFile, 0);
  await assert.rejects(desk.reopen(), { code: 'journal-shorter' });
});
