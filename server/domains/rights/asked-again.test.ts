/** What a second demand does to the first, and what an erasure does that does not get on. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { SubjectId } from '#base/ids';
import type { Handle } from '#domains/consent';
import { openRightsDesk, type RightsDesk } from '#testing/rights-desk';
import { samplePolicy } from '#testing/sample-policy';
import { useWorld } from '#testing/world';
import type { ErasureStore } from './index.ts';

const RECOVERABLE = 'rights:\n  erasure: { within: P30D, recoverable: P30D }\n';

let desk: RightsDesk;
const stubborn: ErasureStore & { remains: number } = {
  name: 'stubborn',
  remains: 0,
  async count(_, subjects) {
    return new Map([['place', new Map(subjects.map((subject) => [subject, this.remains]))]]);
  },
  erase: async () => undefined,
};
const world = useWorld({
  async setUp(opened) {
    desk = await openRightsDesk(opened, { first: [stubborn] });
  },
  policies: [samplePolicy, (service) => samplePolicy(service, { more: RECOVERABLE })],
});
after(() => desk?.close());

const someone = (): Handle => ({ kind: 'user', value: `person-${randomBytes(8).toString('hex')}` });

async function stateOf({ id }: { id: Parameters<RightsDesk['rights']['read']>[1] }) {
  await desk.rights.walk();
  const { erasure } = await desk.rights.read(desk.asker(), id);
  return [erasure.state, erasure.trouble];
}

test('a demand for somebody whose rows are still being deleted is the same erasure, whichever of their names it says', async () => {
  const [ada, device] = [someone(), { ...someone(), kind: 'anonymous' as const }];
  for (const handle of [ada, device]) await desk.meet(handle);
  await desk.keys.link(world.tenant, device, ada);
  stubborn.remains = 1;
  const { erasure } = await desk.rights.request(desk.asker(), { handle: ada });
  assert.deepEqual(await stateOf(erasure), ['shredded', 'rows-left']);
  for (const handle of [ada, device]) {
    const again = await desk.rights.request(desk.asker(), { handle });
    assert.deepEqual([again.erasure.id, again.isNew], [erasure.id, false]);
  }
  stubborn.remains = 0;
  assert.deepEqual(await stateOf(erasure), ['done', null]);
});

test('bytes that a search goes on finding are not certified, and are deleted again', async () => {
  const ada = someone();
  await desk.meet(ada);
  const subject = await desk.keys.whois(world.tenant, ada);
  const [trace] = await desk.keys.traces(world.tenant, [SubjectId(subject)]);
  const left = join(dirname(desk.journalFile), 'data', 'left');
  writeFileSync(left, Buffer.from(trace?.keyIds[0] ?? '', 'base64'));
  const { erasure } = await desk.rights.request(desk.asker(), { handle: ada });
  assert.deepEqual(await stateOf(erasure), ['shredded', 'bytes-found']);
  rmSync(left);
  assert.deepEqual(await stateOf(erasure), ['done', null]);
});

test('a demand that is to be complete ends the time in which an earlier one could be undone', async () => {
  const asker = desk.asker(world.tenants[1]);
  const ada = someone();
  await desk.meet(ada, asker.inForce.tenant);
  const { erasure } = await desk.rights.request(asker, { handle: ada });
  assert.equal(erasure.state, 'hidden');
  const again = await desk.rights.request(asker, { handle: ada, complete: true });
  const { id, complete } = again.erasure;
  assert.deepEqual([id, again.isNew, complete], [erasure.id, false, true]);
  await assert.rejects(desk.rights.undo(asker, id), { code: 'erasure-not-undoable' });
  await desk.rights.walk();
  assert.equal((await desk.rights.read(asker, id)).erasure.state, 'done');
});
