import { test } from 'node:test';
import { useProven } from '#testing/proven';

const proven = useProven();

test('entries are only ever added, in the transaction of their act', async () => {
  await proven.keeps('audit.append-only');
  await proven.keeps('audit.same-transaction');
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
