import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TenantId } from '#base/ids';
import { inTenant } from '#core/tenancy';
import { openDatabase } from '#platform/database';
import { silentLog } from '#platform/log';
import { useProven } from '#testing/proven';
import { namesOf } from './canary-people.ts';

const proven = useProven();
const tenant = TenantId('clanker');
/** The keeper counts its people every two seconds. */
const COUNTED_FOR_MS = 2_100;
/** Proofs that make people known, let them decide, and send for them. */
const WANTED = { tenant, control: 'consent.withdrawn' };

/** What is left of canaries: people in the keyring, their decisions, notes about them. */
async function left() {
  await sleep(COUNTED_FOR_MS);
  const { url, operatorToken } = proven.server;
  const status = await fetch(new URL('/v1/operator/keys/status', url), {
    headers: { cookie: `troth_operator=${operatorToken}` },
  });
  const { subjects } = (await status.json()) as { subjects: number };
  const db = await openDatabase({ url: proven.postgresUrl, log: silentLog });
  const receipts = await inTenant(db, { tenant, now: new Date() }, async (tx) => {
    const [row] = await tx<{ receipts: number }[]>`
      select count(*)::int as receipts from consent_receipts`;
    return row?.receipts;
  });
  await db.close();
  const [row] = await proven.sql<{ named: number }[]>`
    select count(*)::int as named from troth.canary_subjects`;
  return { subjects, receipts, named: row?.named };
}

test('after three rounds there is not more of canaries than after one: nothing', async () => {
  for (let round = 1; round <= 3; round++) {
    const findings = await proven.prove(WANTED);
    assert.ok(findings.every(({ state }) => state === 'kept'));
    assert.deepEqual(await left(), { subjects: 0, receipts: 0, named: 0 }, `round ${round}`);
  }
});

test('what a prover that was killed left behind goes with a later round', async () => {
  const { url, writeKeys } = proven.server;
  const seed = randomBytes(32);
  await proven.sql`
    insert into troth.canary_seeds (seed, tenant, noted_at)
    values (${seed}, ${tenant}, now() - interval '1 hour')`;
  for (let at = 0; at < 5; at++) {
    const { userId } = namesOf(seed, at);
    const answer = await fetch(new URL(`/v1/t/${tenant}/consents/preferences`, url), {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${writeKeys[tenant]}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ handle: { userId }, preferences: { analytics: true } }),
    });
    assert.equal(answer.status, 200, await answer.text());
  }
  const { subjects, receipts } = await left();
  assert.deepEqual([subjects, receipts], [5, 5]);
  await proven.prove(WANTED);
  assert.deepEqual(await left(), { subjects: 0, receipts: 0, named: 0 });
});

test('what proofs asked for canaries is no demand that the service has to answer for', async () => {
  const findings = await proven.prove({ tenant: 'magenta', control: 'erasure.hidden-at-once' });
  assert.deepEqual(
    findings.map(({ state }) => state),
    ['kept'],
  );
  const [row] = await proven.sql<{ demands: number; hidden: number }[]>`
    select (select count(*)::int from troth.erasures) as demands,
           (select count(*)::int from troth.hidden_subjects) as hidden`;
  assert.deepEqual(row, { demands: 0, hidden: 0 });
});
