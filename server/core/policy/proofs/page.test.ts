import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Edit, useProven } from '#testing/proven';

const proven = useProven();

const RENDER = '../policy-language/render';
const status = (from: string, to: string): Edit => [`${RENDER}/status.ts`, from, to];

/** Not every check of these has been seen to pass, and the sentence says that they do. */
const NOT_ALL_PASS = ['LK-115'];

test('the page is the document in force, and its lines are what was found', async () => {
  // Something to be found, so that figures are not all nothing.
  await proven.prove({ control: 'configuration' });
  await proven.keeps('policy.rendered-as-enforced');
  await proven.keeps('policy.status-measured');
  await proven.keeps('policy.date-from-revision');
  await proven.keeps('policy.practices-public');
  await proven.keeps('purpose.documented');
  await proven.keeps('policy.claim-shows-evidence', NOT_ALL_PASS);
});

test('a job without a purpose is found, one that is not published, and a field without one', async () => {
  const map = 'oversight/evidence/data-map.ts';
  await proven.restart([
    ['standing-jobs.ts', "const DUTY = 'essential.legal_obligation';", "const DUTY = 'sale';"],
  ]);
  await proven.breaks('purpose.documented');
  await proven.restart([[map, 'const work = jobs.map(', 'const work = jobs.slice(1).map(']]);
  await proven.breaks('purpose.documented');
  await proven.restart([
    [map, 'fields: Object.values(compiled.fields).map(fieldView),', 'fields: [],'],
  ]);
  await proven.breaks('purpose.documented');
});

test('a page of another document, or of other limits, is found', async () => {
  await proven.restart([
    [`${RENDER}/content.ts`, 'text: policyHash(policy)', "text: 'f'.repeat(64)"],
  ]);
  await proven.breaks('policy.rendered-as-enforced');
  await proven.restart([
    [`${RENDER}/tables.ts`, '{ text: keptFor(policy, id), at:', "{ text: '3 days', at:"],
  ]);
  await proven.breaks('policy.rendered-as-enforced');
});

test('rules that were not carried out are found', async () => {
  await proven.restart();
  const before = await proven.sql`
    update troth.policy_statements set done_at = null where number = 1 and phase = 'expand' returning 1`;
  assert.ok(before.length > 0);
  await proven.breaks('policy.rendered-as-enforced');
  await proven.sql`update troth.policy_statements set done_at = now() where done_at is null`;
});

test('a status that is written and not measured is found, in banner and footer', async () => {
  await proven.restart([
    status('`Protection: $', '`Protection: ACTIVE AND $'),
    status('`Encryption: $', '`Encryption: ACTIVE AND $'),
  ]);
  await proven.breaks('policy.status-measured');
  await proven.restart([status('of rows) counts', 'of rows.slice(1)) counts')]);
  await proven.breaks('policy.status-measured');
});

test('a status that says active whatever was found is found once something breaks', async () => {
  await proven.sql`
    insert into troth.promise_states
    select tenant, unnest(array['CW-32', 'CW-33']), revision, 'broken', saw, control, strength,
           blind_to, found_at, since, took_ms
    from troth.promise_states
    where tenant = 'clanker' and promise = 'CW-01'
    on conflict (tenant, promise) do update set state = 'broken'`;
  await proven.restart();
  await proven.keeps('policy.status-measured');
  await proven.restart([status("broken > 0 ? 'not active' : kept", 'kept')]);
  await proven.breaks('policy.status-measured');
});

test('a build that is printed and not the one that runs is found', async () => {
  await proven.restart([status('text: standing.build', "text: '2.0.STABLE'")]);
  const findings = await proven.prove({ control: 'policy.status-measured' });
  const broken = findings
    .filter(({ state }) => state === 'broken')
    .flatMap(({ promises }) => promises);
  assert.deepEqual(broken, ['CW-77']);
});

test('dates and versions that do not come from the revision are found', async () => {
  await proven.restart([
    status("{ text: appliedAt, at: 'page.updated' }", "{ text: '2025-11-18', at: 'page.updated' }"),
    status("shown(policy, 'version')", "{ text: '9.9', at: 'version' }"),
    status("shown(policy, 'effective')", "{ text: '2025-01-01', at: 'effective' }"),
  ]);
  await proven.breaks('policy.date-from-revision');
  await proven.restart();
  await proven.sql`alter table troth.policies disable trigger revisions_kept`;
  await proven.sql`update troth.policies set document = jsonb_set(document, '{version}', '"7.7"') where in_force`;
  const findings = await proven.prove({ control: 'policy.date-from-revision' });
  const broken = findings
    .filter(({ state }) => state === 'broken')
    .flatMap(({ promises }) => promises);
  assert.deepEqual(broken, ['CD-164']);
  await proven.sql`
    update troth.policies set document = jsonb_set(document, '{version}', to_jsonb((
      case tenant when 'clanker' then '2.0' when 'workorders' then '1.0' else '1.0' end)::text))
    where in_force`;
  await proven.sql`alter table troth.policies enable trigger revisions_kept`;
});

test('practices that the public cannot read, and places that no map shows, are found', async () => {
  await proven.restart([
    [
      `${RENDER}/tables.ts`,
      'const rows = Object.entries(policy.data).map(',
      'const rows = Object.entries(policy.data).slice(1).map(',
    ],
  ]);
  await proven.breaks('policy.practices-public');
  await proven.restart([
    [
      'edges/http/tenant-routes.ts',
      "routes.get('/v1/t/:tenant/data-map', async (c) => {",
      "routes.get('/v1/t/:tenant/data-map', async (c) => {\n operatorOnly(c);",
    ],
  ]);
  await proven.breaks('policy.practices-public');
  await proven.restart();
  const tenants = ['magenta', 'loopkit'];
  for (const tenant of tenants)
    await proven.events.command(
      `create table tenant_${tenant}.shadow (n UInt8) engine = MergeTree order by n`,
    );
  await proven.breaks('policy.practices-public');
  for (const tenant of tenants)
    await proven.events.command(`drop table tenant_${tenant}.shadow sync`);
});

test('claims with other figures than were found, or with none, are found', async () => {
  await proven.restart([[`${RENDER}/claims.ts`, 'kept} of', 'kept + 1} of']]);
  await proven.breaks('policy.claim-shows-evidence');
  await proven.restart([
    [`${RENDER}/claims.ts`, "|| 'no check speaks for it'", "&& 'all is well'"],
  ]);
  await proven.breaks('policy.claim-shows-evidence');
  await proven.restart([[`${RENDER}/claims.ts`, '/promises`', '/nothing`']]);
  await proven.breaks('policy.claim-shows-evidence');
});
