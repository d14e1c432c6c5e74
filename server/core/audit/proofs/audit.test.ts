import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TenantId } from '#base/ids';
import { type AuditEntry, leafHashOf, readAudit } from '#core/audit';
import { type Edit, useProven } from '#testing/proven';
import { asOperator } from '#testing/running';

const proven = useProven();

test('entries are only ever added, in the transaction of their act', async () => {
  await proven.keeps('audit.append-only');
  await proven.keeps('audit.same-transaction');
  // Within the same minute: its refusals are counted with those of the first look.
  await proven.keeps('audit.same-transaction');
  await proven.keeps('access.reads-logged');
  await proven.keeps('tenancy.service-logs');
});

test('a role that may change entries is found, and one that may delete them', async () => {
  await proven.sql`grant update on troth.audit_entries to troth_app`;
  await proven.breaks('audit.append-only');
  await proven.sql`revoke update on troth.audit_entries from troth_app`;
  await proven.sql`grant delete on troth.audit_entries to troth_sweeper`;
  await proven.breaks('audit.append-only');
  await proven.sql`revoke delete on troth.audit_entries from troth_sweeper`;
  await proven.keeps('audit.append-only');
});

test('a changed entry is found', async () => {
  await proven.sql`
    update troth.audit_entries set event = 'policy.withdrawn' where event = 'policy.applied'`;
  await proven.breaks('audit.append-only');
  await proven.sql`
    update troth.audit_entries set event = 'policy.applied' where event = 'policy.withdrawn'`;
  await proven.keeps('audit.append-only');
});

test('an entry that was changed together with its hash is found', async () => {
  const { sql } = proven;
  const db = { sql };
  const entries = await readAudit(db, { tenant: TenantId('conducktr'), limit: 1_000 });
  const { seq, leafHash, ...entry } = entries.find(({ event }) => event === 'policy.applied') ?? {};
  const forged = leafHashOf({ ...(entry as AuditEntry), event: 'policy.withdrawn' });
  await sql`
    update troth.audit_entries set event = 'policy.withdrawn', leaf_hash = ${forged}
    where seq = ${seq ?? 0}`;
  await proven.breaks('audit.append-only');
  await sql`
    update troth.audit_entries set event = 'policy.applied', leaf_hash = ${leafHash ?? ''}
    where seq = ${seq ?? 0}`;
  await proven.keeps('audit.append-only');
});

test('an act without an entry is found', async () => {
  await proven.restart([
    ['domains/consent/decisions.ts', 'await appendAudits(tx, permit, fresh.map(actOf));', ''],
  ]);
  await proven.breaks('audit.same-transaction');
});

test('an entry of a transaction of its own is found', async () => {
  await proven.restart([
    [
      'evidence-wiring.ts',
      'await appendAudit(Object.assign(tx, { now }), permit, act);',
      'await db.sql.begin((other) => appendAudit(Object.assign(other, { now }), permit, act));',
    ],
  ]);
  await proven.breaks('audit.same-transaction');
});

/** The entry of this act is written in a transaction of its own. */
const apart = (file: string, act: string): Edit => [
  file,
  `await appendAudit(Object.assign(tx, { now }), permit, ${act}`,
  `await ((what) => db.sql.begin((other) =>
    appendAudit(Object.assign(other, { now }), permit, what)))(${act}`,
];
const silent = (event: string): Edit => [
  'core/audit/store.ts',
  "const [id = ''] = await appendAudits(tx, permit, [act]);",
  `if (act.event === '${event}') return '';
   const [id = ''] = await appendAudits(tx, permit, [act]);`,
];

async function eachBreaks(edits: readonly Edit[]): Promise<void> {
  for (const edit of edits) {
    await proven.restart([edit]);
    await proven.breaks('audit.same-transaction');
  }
}

test('a key or a demand whose entry is missing, or of another transaction, is found', async () => {
  const KEYS = 'domains/ingest/application-keys.ts';
  const revoked = "{ event: 'write-key.revoked', fields: { key: id } }";
  await eachBreaks([
    [KEYS, `const act = ${revoked} as const;\n    await appendAudit(`, 'await (async () => 0)('],
    [
      KEYS,
      `const act = ${revoked} as const;\n    await appendAudit(Object.assign(tx, { now }), permit, act);`,
      `await db.sql.begin((other) =>
        appendAudit(Object.assign(other, { now }), permit, ${revoked}));`,
    ],
    [KEYS, "{ event: 'write-key.issued', fields } as const", "{ event: 'key.created' } as const"],
    silent('erasure.requested'),
    apart('domains/rights/requests.ts', "{\n      event: ground ? 'erasure.held'"),
  ]);
});

test('a hold whose entry is missing, or of another transaction, is found', async () => {
  await proven.restart();
  const [row] = await proven.sql<{ source: string; prose: string }[]>`
    select source, prose from troth.policies where tenant = 'conducktr' and in_force`;
  const text = row?.source
    .replace(/^version: .*$/m, 'version: "7.0"')
    .replace(/^ {2}erasure:\n/m, '  erasure:\n    unless: [Legal obligation requires retention]\n');
  const applied = await asOperator(proven.server, '/v1/operator/policies/apply', {
    body: {
      text,
      prose: row?.prose,
      reason: 'regulation: GDPR Art. 17(3)',
      noticeGiven: new Date(Date.now() - 60 * 86_400_000).toISOString().slice(0, 10),
    },
  });
  assert.equal(applied.status, 201, await applied.text());
  await proven.keeps('audit.same-transaction');
  await eachBreaks([
    silent('hold.placed'),
    silent('hold.lifted'),
    apart('domains/rights/holds.ts', "{ event: 'hold.placed', subject }"),
    apart('domains/rights/holds.ts', "{ event: 'hold.lifted', subject }"),
  ]);
});

test('a refusal that is answered without an entry is found', async () => {
  await proven.restart([
    [
      'core/audit/store.ts',
      '  await insertRows(db.sql, [row]);\n}\n\n/**\n * Says, durably',
      '}\n\n/**\n * Says, durably',
    ],
  ]);
  await proven.breaks('audit.same-transaction');
});

test('a reading of events that leaves no entry is found', async () => {
  await proven.restart([
    [
      'core/purposes/read-events.ts',
      "appendAudit(Object.assign(tx, { now }), permit, { event: 'events.read', fields }),",
      'Promise.resolve([tx, permit, fields, appendAudit]),',
    ],
  ]);
  await proven.breaks('access.reads-logged');
});

test('a reading of consent that leaves no entry is found', async () => {
  await proven.restart([
    [
      'domains/consent/consent.ts',
      "await appendAudit(tx, permit, { event: 'consent.read', subject, fields });",
      '',
    ],
  ]);
  await proven.breaks('access.reads-logged');
});

test('a service whose accesses go into the log of another is found', async () => {
  await proven.restart([
    [
      'core/audit/store.ts',
      '    tenant: permit.tenant,',
      "    tenant: act.event === 'consent.read' ? ('loopkit' as TenantId) : permit.tenant,",
    ],
  ]);
  await proven.breaks('tenancy.service-logs');
});

test('an entry that is gone from the database is found', async () => {
  await proven.restart();
  await proven.keeps('audit.append-only');
  await proven.sql`
    delete from troth.audit_entries where tenant = 'conducktr' and event = 'policy.applied'`;
  await proven.breaks('audit.append-only');
});

test('an entry that lies in the log otherwise than it was hashed is found', async () => {
  await proven.restart([
    [
      'platform/tiles/writing.ts',
      'files.push([path, encodeBundle(part)]);',
      "files.push([path, encodeBundle(part.map((entry) => Buffer.from(entry.toString().replace('event', 'Event'))))]);",
    ],
  ]);
  const [found] = await proven.prove({ tenant: 'conducktr', control: 'audit.append-only' });
  assert.equal(found?.state, 'broken', found?.saw);
  assert.match(found.saw, /entries of the log were changed/);
});
