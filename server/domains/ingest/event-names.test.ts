/** A name that a client makes up is text like any other. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { samplePolicy } from '#testing/sample-policy';
import { useWorld } from '#testing/world';
import { type Door, openDoor } from './testing/small-world.ts';

let door: Door;
const world = useWorld({
  policies: [
    (service) =>
      samplePolicy(service).replace('event-names: ["*"]', 'event-names: ["*", "Dr. Who watched"]'),
  ],
  setUp: async (opened) => {
    door = await openDoor(opened);
  },
});
after(() => door?.close());

const send = (event: string, tool: string) =>
  door.send('/v1/track', { event, properties: { tool } });
const nameOf = async (tool: string) => {
  const rows = await door.rows<{ name: string; f_tool: string }>(world.tenant, 'usage');
  return rows.find(({ f_tool }) => f_tool === tool)?.name;
};

const PERSONAL = [
  'called +1 555 123 4567',
  'call 015123456789',
  'paid 4111 1111 1111 1111',
  'Dr. Ada Lovelace signed in',
  'ssn 078-05-1120',
  'login from 203.0.113.7',
  'to DE89 3704 0044 0532 0130 00',
];
for (const [index, name] of PERSONAL.entries()) {
  test(`"${name}" is kept as an event and withheld as a name, though the policy strips nothing`, async () => {
    const answer = await send(name, `personal-${index}`);
    assert.deepEqual([answer.status, answer.body['accepted']], [200, 1]);
    assert.equal(await nameOf(`personal-${index}`), '(withheld)');
    await send(name, `again-${index}`);
    assert.equal(await nameOf(`again-${index}`), '(withheld)', 'and is not remembered');
  });
}

test('withheld names are counted', async () => {
  const { counted } = await door.ingest.view(world.tenant, '2020-01-01');
  const withheld = counted.find(({ reason }) => reason === 'name-withheld');
  assert.deepEqual([withheld?.type, withheld?.count], ['usage', PERSONAL.length * 2]);
});

test('plain names, and those that the policy declares, are kept as they are', async () => {
  const plain = [
    'Signed Up via Google',
    'skipped_onboarding_step_two',
    'button_click',
    'Order Completed',
    'v2.1: Search (beta)',
    'Dr. Who watched',
  ];
  for (const [index, name] of plain.entries()) {
    assert.equal((await send(name, `plain-${index}`)).body['accepted'], 1);
    assert.equal(await nameOf(`plain-${index}`), name);
  }
});
