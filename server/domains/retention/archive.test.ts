/** Readings of the archive over the real engines: consents, hidden people, and the sweep between. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { PurposeId, SubjectId } from '#base/ids';
import { NOBODY } from '#core/keys';
import { authorize } from '#core/policy';
import { archiveDatabaseOf } from '#core/tenancy';
import { ruleIn } from '#domains/ingest';
import { silentLog } from '#platform/log';
import { openRightsDesk, type RightsDesk } from '#testing/rights-desk';
import { samplePolicy } from '#testing/sample-policy';
import { useWorld } from '#testing/world';
import { importBackdated, openRetention, type Retention } from './index.ts';

const HOUR = 3_600_000;
const TIERS = '{ active: PT40M, archive: P20D, total: P20DT40M }';
const RECOVERABLE = 'rights:\n  erasure: { within: P60D, recoverable: P30D }\n';
/** One field is for the one purpose alone. */
const policyOf = (service: string) =>
  samplePolicy(service, { retain: TIERS, more: RECOVERABLE }).replace(
    'plan: { enum: [free, paid] }',
    'plan: { type: string(8), purposes: [service-delivery] }',
  );
const FOLLOWED =
  'identify: { modes: [pseudonymous, identified], default: pseudonymous, consent: statistics }\ndata:\n';

let desk: RightsDesk;
let retention: Retention;
const world = useWorld({
  policies: [policyOf, (service) => policyOf(service).replace('data:\n', FOLLOWED)],
  async setUp(opened) {
    desk = await openRightsDesk(opened);
    const deps = { ...opened, log: silentLog, stores: [], chores: [] };
    retention = await openRetention(deps, ruleIn);
  },
});
after(async () => {
  await retention?.close();
  await desk?.close();
});

type Service = 0 | 1;
const handleOf = (value: string) => ({ kind: 'user', value }) as const;
const asker = (index: Service) => desk.asker(world.tenants[index]);

/** Rows of these people, an hour old, which the sweep then takes to the archive. */
async function archive(people: readonly SubjectId[], index: Service = 0): Promise<void> {
  const { inForce } = asker(index);
  const permit = authorize(inForce, { kind: 'system', id: world.operator.id }, 'canary.write');
  const values = { tool: 'drill', plan: 'paid' };
  await importBackdated(world, permit, inForce, {
    dataType: 'usage',
    rows: people.map((subject) => ({ name: 'used', subject, values })),
    receivedAt: new Date(world.clock.now().getTime() - HOUR),
  });
  await retention.sweep(inForce.tenant);
}

async function read(purpose: string, index: Service = 0) {
  const { hidden, consent } = desk;
  const asked = { dataType: 'usage', purpose, limit: 100, from: new Date(0) };
  const until = new Date(8_640_000_000_000_000);
  const people = { hidden, agreed: consent.agreed };
  return retention.readArchive(asker(index), { ...asked, until }, people);
}
const whose = async (purpose: string) => (await read(purpose)).map(({ subject }) => subject);

async function meet(value: string, index: Service = 0): Promise<SubjectId> {
  const tenant = asker(index).inForce.tenant;
  await desk.meet(handleOf(value), tenant);
  return SubjectId(await desk.keys.whois(tenant, handleOf(value)));
}

test('who asked to be erased is in no reading of the archive, while the rows may still come back', async () => {
  const [ada, bob] = [await meet('ada'), await meet('bob')];
  await archive([ada, bob, NOBODY]);
  assert.deepEqual((await whose('statistics')).sort(), [ada, bob, NOBODY].sort());
  const { erasure } = await desk.rights.request(asker(0), { handle: handleOf('ada') });
  assert.equal(erasure.state, 'hidden');
  for (const purpose of ['statistics', 'service-delivery'])
    assert.deepEqual((await whose(purpose)).sort(), [bob, NOBODY].sort(), purpose);
  const [kept] = await world.events.query<{ rows: number }>(
    `select toFloat64(count()) as rows from {database:Identifier}.usage
     where subject = unhex({subject:String})`,
    { database: archiveDatabaseOf(world.tenant), subject: ada },
  );
  assert.equal(kept?.rows, 1);
});

test('who no longer agrees to a purpose is in no reading of the archive for it', async () => {
  const eve = await meet('eve');
  await archive([eve]);
  assert.ok((await whose('statistics')).includes(eve));
  const asked = { ...asker(0), handle: handleOf('eve') };
  const purpose = PurposeId('statistics');
  await desk.consent.record(asked, [{ purpose, granted: false, method: 'single' }]);
  assert.equal((await whose('statistics')).includes(eve), false);
  assert.ok((await whose('service-delivery')).includes(eve), 'a contract asks nobody');
});

test('a reading of the archive shows the fields of its purpose, and nothing sealed', async () => {
  await archive([NOBODY]);
  const [row] = await read('statistics');
  assert.equal(row?.['f_tool'], 'drill');
  for (const name of ['f_plan', 'sealed', 'batch']) assert.equal(row && name in row, false, name);
  assert.equal((await read('service-delivery'))[0]?.['f_plan'], 'paid');
});

test('where people are asked before they are identified, the archive says of nobody else whose a row is', async () => {
  const ada = await meet('ada', 1);
  await archive([ada], 1);
  const rows = await read('statistics', 1);
  assert.deepEqual(
    rows.map(({ subject }) => subject),
    [NOBODY],
  );
});
