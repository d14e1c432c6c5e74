import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '#testing/world';
import { memoryOperatorStore, type OperatorStore, openOperator, operatorStore } from './index.ts';
import { LINK_DAYS, SESSION_SECONDS } from './operator.ts';

const DAY_MS = 86_400_000;
const world = useWorld({ policies: [] });
const spent = { code: 'operator-link-spent' };
const stores: [string, () => OperatorStore][] = [
  ['memory', memoryOperatorStore],
  ['PostgreSQL', () => operatorStore(world.db)],
];

for (const [where, store] of stores) {
  test(`a link works once, and of ten who open it at once one gets in (${where})`, async () => {
    const operator = openOperator(store(), world.clock);
    const link = await operator.newLink();
    const asked = await Promise.allSettled(Array.from({ length: 10 }, () => operator.enter(link)));
    assert.equal(asked.filter(({ status }) => status === 'fulfilled').length, 1);
    await assert.rejects(operator.enter(link), spent);
  });

  test(`a link that nobody opened ends by itself, and so does a session (${where})`, async () => {
    const operator = openOperator(store(), world.clock);
    const [early, late] = [await operator.newLink(), await operator.newLink()];
    world.clock.advance(LINK_DAYS * DAY_MS - 1_000);
    const { cookie } = await operator.enter(early);
    assert.equal(await operator.knows(cookie), true);
    world.clock.advance(2_000);
    await assert.rejects(operator.enter(late), spent);
    world.clock.advance(SESSION_SECONDS * 1_000);
    assert.equal(await operator.knows(cookie), false);
  });

  test(`what was never a link opens nothing (${where})`, async () => {
    const operator = openOperator(store(), world.clock);
    const { cookie } = await operator.enter(await operator.newLink());
    for (const text of ['', 'x', 'A'.repeat(43), "' or true --", cookie, 'é'.repeat(43)]) {
      await assert.rejects(operator.enter(text), spent, text);
    }
    assert.equal(await operator.knows(await operator.newLink()), false, 'a link is no session');
  });
}
