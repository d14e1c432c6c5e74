/**
 * Work orders: an automation reads case pages and accepts work. Outcomes are kept; what stood on
 * the pages is not, wherever in a request it turns up.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { noChromium, walkConsole } from '#testing/console-walk';
import { type Journey, startJourney } from '#testing/journey';

const CASE = 'CANARY-case-3b9f';
const CLEAR = 'clear-order-77b1';

let journey: Journey;
before(async () => {
  journey = await startJourney('workorders');
});
after(() => journey?.stop());

const accepted = (order: string) => ({
  type: 'track',
  event: 'work_order_accepted',
  userId: 'scheduler-4',
  properties: {
    order,
    platform: 'fieldglass',
    state: 'accepted',
    slot: '2026-11-18T09:30:00.000Z',
    bandwidth_units: 1,
  },
});

const run = (properties: object, more: object = {}) => ({
  type: 'track',
  event: 'automation_run',
  userId: 'scheduler-4',
  properties: {
    run: 'run-1',
    automation: 'offers',
    platform: 'fieldglass',
    outcome: 'done',
    pages_read: 3,
    duration_ms: 2_400,
    ...properties,
  },
  ...more,
});

test('an accepted work order is kept, with its slot and its platform', async () => {
  const sent = await journey.batch([accepted(CLEAR), accepted('order-2'), accepted('order-3')]);
  assert.deepEqual(sent, { success: true, accepted: 3, status: 200 });
  const rows = await journey.rows('work_orders', 3);
  assert.deepEqual(rows.map((row) => row['f_order']).sort(), [CLEAR, 'order-2', 'order-3']);
  const [row = {}] = rows;
  assert.equal(row['name'], 'work_order_accepted');
  assert.match(String(row['f_slot']), /^2026-11-18[T ]09:30:00/);
  assert.equal(row['country'], '', 'this service asks no location');
});

test('an automation’s outcome is kept; details of a case that come along are cut', async () => {
  const sent = await journey.batch([
    run({ case_details: `${CASE}, leaking roof`, page: { text: CASE, rows: [CASE] } }),
    run({}, { context: { page: { title: CASE, url: `https://x.example/${CASE}` } } }),
    run({}, { context: { traits: { note: CASE } }, integrations: { [CASE]: true } }),
    run({}, { messageId: CASE, anonymousId: CASE, sessionId: CASE }),
    run({ run: 'run-2' }, { userId: CASE }),
  ]);
  assert.equal(sent.accepted, 5);
  const rows = await journey.rows('automation_runs', 5);
  assert.equal(rows.length, 5);
  assert.ok(rows.every((row) => row['f_outcome'] === 'done' && Number(row['f_pages_read']) === 3));
  assert.equal((await journey.drops())['undeclared-field'], 2);
});

test('a mistaken automation leaves no case details behind either', async () => {
  const sent = await journey.batch([
    { type: 'track', event: 'case_opened', userId: 'scheduler-4', properties: { text: CASE } },
    run({ outcome: CASE }),
    run({ error_code: `${CASE} `.repeat(8) }),
    run({ step: `read 12 Sample Street, mail anna@${CASE}.example` }),
  ]);
  assert.deepEqual(sent.dropped, { 'undeclared-event': 1 });
  assert.deepEqual(
    sent.refused?.map(({ index, code }) => [index, code]),
    [[1, 'wrong-schema']],
  );
  assert.ok(!JSON.stringify(sent).includes(CASE), 'no answer repeats what was sent');
  const key = { authorization: `Bearer ${journey.key}`, 'content-type': 'application/json' };
  const raw = async (path: string, headers: Record<string, string>, body: string) => {
    const url = new URL(path, journey.server.url);
    const answer = await fetch(url, { method: 'POST', headers: { ...key, ...headers }, body });
    const said = await answer.text();
    assert.ok(!said.includes(CASE), said);
    return answer.status;
  };
  assert.equal(await raw('/v1/track', {}, `{"event":"${CASE}`), 400);
  assert.equal(
    await raw(`/v1/track?case=${CASE}`, { 'user-agent': CASE, cookie: CASE }, '{}'),
    422,
  );
  assert.equal(await raw('/v1/track', { authorization: `Bearer ${CASE}` }, '{}'), 401);
  assert.equal(await raw(`/v1/t/${CASE}/nothing`, {}, '{}'), 404);
});

test('a scan of every file finds the order and not one detail of a case', async () => {
  assert.equal((await journey.rows('automation_runs', 7)).length, 7);
  assert.deepEqual(journey.filesWith(CASE), []);
  assert.ok(!journey.server.log().includes(CASE));
  assert.notDeepEqual(journey.filesWith(CLEAR), [], 'the scan finds what is clear');
});

test('an operator sees all of it in the console', { skip: noChromium }, async () => {
  assert.equal(await journey.counted('automation-runs', 7), 7);
  await walkConsole(journey, {
    promises: 48,
    open: ['WO-01', 'March 4, 2026'],
    rows: { 'Work orders': 3, 'Automation activity logs': 7 },
    drops: [
      'The policy declares no such event',
      'The event was not of the shape it must have',
      'Fields cut: the policy does not declare them',
      'Fields with personal content cut out',
    ],
  });
});
