import { test } from 'node:test';
import { useProven } from '#testing/proven';

const proven = useProven();

/** Nothing in this version fills what they speak of: sessions, accounts, addresses. */
const UNFILLED = ['CW-06', 'CW-08', 'CD-05', 'CD-06', 'CD-08', 'CD-21'];
const UNFILLED_PURPOSE = ['CW-26'];

const READ = 'core/purposes/read-events.ts';
const SHOWN = 'core/purposes/shown-rows.ts';

async function everywhere(statement: (login: number, table: string) => string): Promise<void> {
  const logins = await proven.sql<{ tenant: string; login: number }[]>`
    select tenant, login from troth.purpose_logins order by login`;
  for (const { tenant, login } of logins) {
    const tables = await proven.events.query<{ name: string }>(
      'select name from system.tables where database = {database:String}',
      { database: `tenant_${tenant}` },
    );
    for (const { name } of tables)
      await proven.events.command(statement(login, `tenant_${tenant}.${name}`));
  }
}

const viewOf = (login: number, table: string) =>
  `purpose_${String(login).padStart(3, '0')}.${table.replace('.', '__')}`;

test('data is read for its purposes, and for no other', async () => {
  await proven.keeps('purpose.stated');
  await proven.keeps('purpose.bound-reads', UNFILLED);
  await proven.keeps('purpose.holds-only', UNFILLED_PURPOSE);
  await proven.keeps('access.least-grants');
  await proven.keeps('purpose.basis');
  await proven.keeps('identify.journeys-consented');
});

test('readings that let anybody be followed are found: all, the pseudonymous, who withdrew', async () => {
  const journeys = 'core/purposes/journeys.ts';
  await proven.restart([[journeys, 'if (asked === undefined) return', 'if (rows) return']]);
  await proven.breaks('identify.journeys-consented');
  await proven.restart([[journeys, "isFor && row['mode'] === IDENTIFIED", 'isFor']]);
  await proven.breaks('identify.journeys-consented');
  await proven.restart([[SHOWN, '(willing.has(subject) && !hidden', '(read && !hidden']]);
  await proven.breaks('identify.journeys-consented');
  // A journey that nobody can follow is no promise kept either.
  await proven.restart([[journeys, 'const IDENTIFIED = 2;', 'const IDENTIFIED = 9;']]);
  await proven.breaks('identify.journeys-consented');
});

test('a row is found in a reading however many came in after it', async () => {
  await proven.restart([
    ['core/purposes/read-events.ts', 'limit: Math.min(limit, LIMIT_MAX),', 'limit: 1,'],
  ]);
  // One at a time is less than the six of a round, so the newest is another's.
  await proven.keeps('purpose.bound-reads', UNFILLED);
  await proven.keeps('purpose.holds-only', UNFILLED_PURPOSE);
});

test('a right too many is found: of a shared role, of a purpose, of everybody, above all grants', async () => {
  const tries = [
    [
      'grant select on troth.write_keys to troth_purpose',
      'revoke select on troth.write_keys from troth_purpose',
    ],
    [
      'grant update on troth.policies to troth_app',
      'revoke update on troth.policies from troth_app',
    ],
    ['grant truncate on troth.inbox to troth_app', 'revoke truncate on troth.inbox from troth_app'],
    [
      'grant select (subject) on troth.erasures to troth_purpose',
      'revoke select (subject) on troth.erasures from troth_purpose',
    ],
    ['grant select on troth.inbox to public', 'revoke select on troth.inbox from public'],
    [
      'grant select on tenant_loopkit.consent_receipts to troth_loopkit_essential_analytics; grant select on tenant_workorders.consent_receipts to troth_workorders_security',
      'revoke select on tenant_loopkit.consent_receipts from troth_loopkit_essential_analytics; revoke select on tenant_workorders.consent_receipts from troth_workorders_security',
    ],
  ] as const;
  for (const [give, take] of tries) {
    await proven.sql.unsafe(give);
    await proven.breaks('access.least-grants');
    await proven.sql.unsafe(take);
  }
  await proven.keeps('access.least-grants');
});

test('a right that a role has as a member of another, or in the schema of another service, is found', async () => {
  const roles = 'troth_loopkit_essential_analytics, troth_workorders_security';
  const tries = [
    [`grant troth_sweeper to ${roles}`, `revoke troth_sweeper from ${roles}`],
    [
      'grant troth_sweeper to troth_app with inherit true',
      'grant troth_sweeper to troth_app with inherit false',
    ],
    [
      'create role troth_visitor login; grant troth_app to troth_visitor',
      'drop role troth_visitor',
    ],
    ['alter role troth_eraser login', 'alter role troth_eraser nologin'],
    [
      `grant select on tenant_clanker.consent_receipts to ${roles}`,
      `revoke select on tenant_clanker.consent_receipts from ${roles}`,
    ],
  ] as const;
  for (const [give, take] of tries) {
    await proven.sql.unsafe(give);
    await proven.breaks('access.least-grants');
    await proven.sql.unsafe(take);
  }
  await proven.keeps('access.least-grants');
});

test('a purpose whose role reaches a table of account is found: itself, or as another', async () => {
  const roles = 'troth_clanker_debugging, troth_clanker_system_optimization';
  const tries = [
    [`grant troth_sweeper to ${roles}`, `revoke troth_sweeper from ${roles}`],
    [
      `grant select on tenant_clanker.consent_receipts to ${roles}`,
      `revoke select on tenant_clanker.consent_receipts from ${roles}`,
    ],
    [
      `grant select (subject) on tenant_clanker.consent_receipts to ${roles}`,
      `revoke select (subject) on tenant_clanker.consent_receipts from ${roles}`,
    ],
  ] as const;
  for (const [give, take] of tries) {
    await proven.sql.unsafe(give);
    await proven.breaks('purpose.holds-only', UNFILLED_PURPOSE);
    await proven.sql.unsafe(take);
  }
  await proven.keeps('purpose.holds-only', UNFILLED_PURPOSE);
});

test('a basis that the page, or the answer to a withdrawal, does not name is found', async () => {
  await proven.restart([
    ['../policy-language/render/tables.ts', 'bases[purpose.basis].title', 'bases.consent.title'],
  ]);
  await proven.breaks('purpose.basis');
  await proven.restart([
    [
      'domains/consent/routes.ts',
      '.essential.map(({ id, basis }) => [id, basis])',
      '.essential.map(({ id }) => [id, "consent"])',
    ],
  ]);
  await proven.breaks('purpose.basis');
});

test('a reading that states no purpose, or any, and is answered is found', async () => {
  const first = 'policy.data[dataType]?.purposes[0]';
  await proven.restart([[READ, 'purposeStated(policy, name)', `purposeStated(policy, ${first})`]]);
  await proven.breaks('purpose.stated');
});

test('a refusal that leaves no entry is found', async () => {
  await proven.restart([
    [READ, '      await recordRefusal(', '      if (Date.now() < 0) await recordRefusal('],
  ]);
  await proven.breaks('purpose.stated');
  await proven.breaks('purpose.bound-reads', UNFILLED);
});

test('a door that reads for one purpose under the login of another is found', async () => {
  await proven.restart([
    [
      READ,
      'const login = await loginOf(db, tenant, purpose);',
      "const login = await loginOf(db, tenant, policy.data[dataType]?.purposes[0] ?? '');",
    ],
  ]);
  await proven.breaks('purpose.bound-reads', UNFILLED);
});

test('a store that shows data to the login of every purpose is found', async () => {
  await proven.restart();
  await everywhere(
    (login, table) =>
      `create view if not exists ${viewOf(login, table)} sql security none as select *, toString(message) as message from ${table}`,
  );
  await proven.breaks('purpose.bound-reads', UNFILLED);
  await proven.breaks('purpose.holds-only', UNFILLED_PURPOSE);
});

test('a purpose that no longer opens what is declared for it is found', async () => {
  await everywhere((login, table) => `drop view if exists ${viewOf(login, table)} sync`);
  await proven.breaks('purpose.bound-reads', UNFILLED);
  await proven.breaks('purpose.holds-only', UNFILLED_PURPOSE);
});

test('a view too many in the store of events is found', async () => {
  await everywhere(
    (login, table) => `create view if not exists ${viewOf(login, table)} as select 1 as n`,
  );
  await proven.breaks('access.least-grants');
});
