import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Edit, useProven } from '#testing/proven';

const proven = useProven();

/** They are to be told by mail, on a page or a dashboard. */
const NOT_TOLD = [
  ...['CD-61', 'CD-152', 'CD-153', 'LK-16', 'LK-215', 'LK-216', 'LK-218'],
  ...['MG-128', 'MG-129', 'MG-130', 'MG-132'],
];

const STRUCTURE = '../policy-language/lint/structure.ts';
const ROUTES = 'edges/http/revision-routes.ts';

/** This version keeps no cases of feedback, and has no connector that could send terms. */
const NO_CASES = ['CW-75'];
const NO_CONNECTOR = ['CD-46'];
/** Speak of every change, not of a kind of reason. */
const ANY_REASON = ['CW-71', 'MG-127'];

/** How clanker's prose names its version. */
const NAMED = /\bv2\.0\b/;

/** A second revision, so that there is a difference to be shown. */
async function applyAgain(tenant: string): Promise<void> {
  const [row] = await proven.sql<{ source: string; prose: string }[]>`
    select source, prose from troth.policies where tenant = ${tenant} and in_force`;
  const text = row?.source
    .replace(/^title: .*$/m, 'title: Another title')
    .replace(/^ {4}title: (Other tracked actions|Analytics Events)$/m, '    title: Renamed')
    .replace(/^version: .*$/m, 'version: "7.0"')
    .replace(NAMED, 'v7.0');
  const { url, operatorToken } = proven.server;
  const answer = await fetch(new URL('/v1/operator/policies/apply', url), {
    method: 'POST',
    headers: { cookie: `troth_operator=${operatorToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      text,
      prose: row?.prose.replace(NAMED, 'v7.0'),
      reason: 'feedback: a better title',
    }),
  });
  assert.equal(answer.status, 201, await answer.text());
}

test('before anything was changed, no difference is said to have been seen', async () => {
  await proven.restart();
  const found = await proven.prove({ control: 'changes.revision-recorded' });
  const gaps = found.filter(({ state }) => state === 'gap').flatMap(({ promises }) => promises);
  assert.deepEqual(gaps.sort(), [...ANY_REASON, ...NO_CASES].sort());
  assert.ok(found.every(({ state }) => state !== 'broken'));
});

test('changes are announced, recorded, kept and declared before anything is collected', async () => {
  await proven.restart();
  for (const tenant of ['clanker', 'magenta', 'loopkit']) await applyAgain(tenant);
  await proven.keeps('changes.notice-period');
  await proven.keeps('changes.revision-recorded', NO_CASES);
  await proven.keeps('changes.history-kept');
  await proven.keeps('changes.people-told', NOT_TOLD);
  await proven.keeps('changes.revision-first');
  await proven.keeps('purpose.forbidden', NO_CONNECTOR);
  await proven.keeps('purpose.columns-mapped');
  await proven.keeps('changes.current-at-address');
});

test('a material change that need not wait is found, and one that waits too little', async () => {
  await proven.restart([['core/policy/apply.ts', '  checkNotice(current, policy, draft);\n', '']]);
  await proven.breaks('changes.notice-period');
  await proven.restart([
    [
      '../policy-language/compare/plan.ts',
      'now.getTime() + parseDuration(notice).milliseconds',
      'now.getTime() + parseDuration(notice).milliseconds - 864e5',
    ],
  ]);
  await proven.breaks('changes.notice-period');
});

test('one kind of material change that need not wait is found, whichever it is', async () => {
  const steps = '../policy-language/compare/steps.ts';
  const edits: readonly Edit[] = [
    [steps, ' added`, material: true', ' added`, material: false'],
    [
      steps,
      "action: 'add', name: id, text, material: true",
      "action: 'add', name: id, text, material: false",
    ],
    [steps, 'before !== undefined && longer(retain, before)', 'before === retain'],
    [steps, "return !(kind === 'removed'", "return kind !== 'added' && !(kind === 'removed'"],
    [steps, "return !(kind === 'removed'", "return kind !== 'changed' && !(kind === 'removed'"],
  ];
  for (const edit of edits) {
    await proven.restart([edit]);
    await proven.breaks('changes.notice-period');
  }
});

test('a change without a reason that is taken further is found', async () => {
  await proven.restart([['core/policy/reason.ts', 'const WORDS_MIN = 3;', 'const WORDS_MIN = 0;']]);
  await proven.breaks('changes.revision-recorded', ANY_REASON);
});

test('a revision without author, reason or difference is found', async () => {
  await proven.restart([[ROUTES, '        by: actorKind,', "        by: actorKind && '',"]]);
  await proven.breaks('changes.revision-recorded');
  await proven.restart([['edges/http/changelog.ts', 'diffPolicies(from, to).lines', '[]']]);
  await proven.breaks('changes.revision-recorded');
});

test('a changelog that leaves out an entry, or what changed, is found', async () => {
  const feed = 'edges/http/changelog.ts';
  await proven.restart([[feed, 'revisions.slice(0, ITEMS_MAX)', 'revisions.slice(1, ITEMS_MAX)']]);
  await proven.breaks('changes.people-told', NOT_TOLD);
  await proven.restart([[feed, "technical.join('\\n')", "''"]]);
  await proven.breaks('changes.people-told', NOT_TOLD);
});

test('a database that lets a revision be changed is found', async () => {
  await proven.restart();
  await proven.sql`alter table troth.policies disable trigger revisions_kept`;
  await proven.breaks('changes.revision-recorded');
  await proven.sql`alter table troth.policies enable trigger revisions_kept`;
});

test('a history with a gap, or that was written anew, is found', async () => {
  await proven.restart([
    [ROUTES, 'revisions: revisions.map(', 'revisions: revisions.filter((one) => one.inForce).map('],
  ]);
  await proven.breaks('changes.history-kept');
  await proven.restart();
  await proven.sql`alter table troth.policies disable trigger revisions_kept`;
  await proven.sql`
    update troth.policies set document = jsonb_set(document, '{title}', '"Never said"')
    where tenant = 'magenta' and revision = 1`;
  await proven.breaks('changes.history-kept');
  await proven.sql`alter table troth.policies enable trigger revisions_kept`;
});

test('what is stored before a revision says so is found', async () => {
  await proven.events.command('alter table tenant_clanker.agent_commands add column f_mood String');
  await proven.breaks('changes.revision-first');
  await proven.events.command('alter table tenant_clanker.agent_commands drop column f_mood');
  await proven.restart([
    [
      'domains/ingest/check-schema.ts',
      '  const event = makeEvent({\n    index,\n    kind,\n    name,',
      '  const event = makeEvent({\n    index,\n    kind,\n    name: name + JSON.stringify(properties),',
    ],
  ]);
  await proven.breaks('changes.revision-first');
});

test('a use that is ruled out and could be declared all the same is found', async () => {
  await proven.restart([
    [
      STRUCTURE,
      'if (forbidden === undefined) continue;',
      "if (forbidden !== 'analytics') continue;",
    ],
  ]);
  await proven.breaks('purpose.forbidden');
  await proven.restart([
    [
      '../policy-language/render/tables.ts',
      '`Data is not sold: none of',
      '`Data is never sold: none of',
    ],
  ]);
  // What is not about a sale is not touched by it.
  const findings = await proven.prove({ control: 'purpose.forbidden' });
  const broken = findings
    .filter(({ state }) => state === 'broken')
    .flatMap(({ promises }) => promises);
  assert.deepEqual(broken.toSorted(), ['CD-121', 'CD-45', 'LK-07']);
});

test('a use that is ruled out on one basis only, or as a whole only, is found', async () => {
  const rule = 'if (forbidden === undefined) continue;';
  const onlyWhere = (is: string): Edit => [
    STRUCTURE,
    rule,
    `if (forbidden === undefined || !(${is})) continue;`,
  ];
  await proven.restart([onlyWhere("policy.purposes[id]?.basis === 'consent'")]);
  await proven.breaks('purpose.forbidden');
  await proven.restart([onlyWhere('policy.purposes[id]?.optional === undefined')]);
  await proven.breaks('purpose.forbidden');
  await proven.restart([onlyWhere('use === forbidden')]);
  // The others have no parts.
  const [found] = await proven.prove({ tenant: 'loopkit', control: 'purpose.forbidden' });
  assert.equal(found?.state, 'broken', found?.saw);
});

test('a column or a table that no declared field stands behind is found', async () => {
  await proven.restart();
  const tables = ['clanker.agent_commands', 'loopkit.page_views'];
  for (const table of tables)
    await proven.events.command(`alter table tenant_${table} add column f_mood String`);
  await proven.breaks('purpose.columns-mapped');
  for (const table of tables)
    await proven.events.command(`alter table tenant_${table} drop column f_mood`);
  // The second is named as a table of ours begins, the third stands beside declared ones.
  const tries = [
    ['create table %.shadow (note text)', 'drop table %.shadow'],
    ['create table %.consent_notes (note text)', 'drop table %.consent_notes'],
    [
      'alter table %.consent_receipts add column mood text',
      'alter table %.consent_receipts drop column mood',
    ],
    [
      'create materialized view %.consent_seen as select subject from %.consent_receipts',
      'drop materialized view %.consent_seen',
    ],
  ] as const;
  const services = ['tenant_clanker', 'tenant_loopkit'];
  for (const [make, unmake] of tries) {
    for (const schema of services) await proven.sql.unsafe(make.replaceAll('%', schema));
    await proven.breaks('purpose.columns-mapped');
    for (const schema of services) await proven.sql.unsafe(unmake.replaceAll('%', schema));
  }
  const working = '(subject FixedString(16), mood String) engine = MergeTree order by tuple()';
  for (const database of services) {
    await proven.events.command(`drop table if exists ${database}.erasing sync`);
    await proven.events.command(`create table ${database}.erasing ${working}`);
  }
  await proven.breaks('purpose.columns-mapped');
  for (const database of services) await proven.events.command(`drop table ${database}.erasing`);
  await proven.keeps('purpose.columns-mapped');
});

test('a document without a class, or with a personal field in clear, that gets through is found', async () => {
  await proven.restart([
    ['../policy-language/grammar/data.ts', 'z.array(Category).min(1)', 'z.array(Category)'],
  ]);
  await proven.breaks('purpose.columns-mapped');
  await proven.restart([[STRUCTURE, 'if (category === null || seal', 'if (id !== "" || seal']]);
  await proven.breaks('purpose.columns-mapped');
});

test('an address that shows nothing, or an older revision, is found', async () => {
  const address = 'edges/http/published-address.ts';
  await proven.restart([[address, '=== hostname + pathname', '=== hostname']]);
  await proven.breaks('changes.current-at-address');
  await proven.restart([
    [
      address,
      'return foreignPage(page,',
      "return foreignPage(page.replaceAll(/[0-9a-f]{64}/g, 'f'.repeat(64)),",
    ],
  ]);
  await proven.breaks('changes.current-at-address');
});
