import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TenantId } from '#base/ids';
import { inTenant } from '#core/tenancy';
import { connect, openDatabase } from '#platform/database';
import { silentLog } from '#platform/log';
import { useProven } from '#testing/proven';
import { namesOf } from './canary-people.ts';
import { noteSeed } from './canary-store.ts';

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

/** What the standing job does each minute, now. */
async function forgetNow() {
  const before = new Date();
  await proven.sql`select troth_sec.enqueue('evidence.forget-canaries', '{}'::json, 1, now(), 'now')`;
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(200)) {
    const [beat] = await proven.sql<{ done: boolean }[]>`
      select last_started >= ${before} and last_done >= last_started as done
      from troth.job_heartbeats where job = 'evidence.forget-canaries'`;
    if (beat?.done) return;
  }
  assert.fail('the job did not run');
}

async function meetFive(seed: Buffer) {
  const { url, writeKeys } = proven.server;
  const headers = {
    authorization: `Bearer ${writeKeys[tenant]}`,
    'content-type': 'application/json',
  };
  for (let at = 0; at < 5; at++) {
    const { userId } = namesOf(seed, at);
    const answer = await fetch(new URL(`/v1/t/${tenant}/consents/preferences`, url), {
      method: 'PUT',
      headers,
      body: JSON.stringify({ handle: { userId }, preferences: { analytics: true } }),
    });
    assert.equal(answer.status, 200, await answer.text());
  }
}

test('what a killed prover left goes within a minute, and nothing of one that still runs', async () => {
  const seed = randomBytes(32);
  const session = connect(proven.postgresUrl, { max: 1 });
  await noteSeed(session, tenant, seed);
  await meetFive(seed);
  await forgetNow();
  const running = await left();
  assert.deepEqual([running.subjects, running.receipts], [5, 5]);
  // The database ends the session of a process that is killed.
  await session.end();
  await forgetNow();
  assert.deepEqual(await left(), { subjects: 0, receipts: 0, named: 0 });
});

test('the canaries of a round during which the server was killed are gone after its next start', async () => {
  const { server } = proven;
  const round = proven.prove({ tenant }).catch(() => undefined);
  const sent = async () => {
    const [row] = await proven.sql<{ sent: number }[]>`
      select count(*)::int as sent from troth.canaries where tenant = ${tenant}`;
    return row?.sent ?? 0;
  };
  for (const end = Date.now() + 60_000; (await sent()) < 5 && Date.now() < end; ) await sleep(100);
  assert.ok((await sent()) >= 5);
  await server.kill();
  await round;
  await proven.restart();
  await forgetNow();
  assert.deepEqual(await left(), { subjects: 0, receipts: 0, named: 0 });
  const [row] = await proven.sql<{ open: number }[]>`
    select count(*)::int as open from troth.canary_seeds where removed_at is null`;
  assert.equal(row?.open, 0);
});

/** What an operator is shown of the service. */
async function shown<Answer>(path: string): Promise<Answer> {
  const { url, operatorToken } = proven.server;
  const headers = { cookie: `troth_operator=${operatorToken}` };
  return (await (await fetch(new URL(path, url), { headers })).json()) as Answer;
}

test('no figure that people see counts canaries, not even while proofs run; it is said apart', async () => {
  const running = { now: true };
  const round = proven.prove({ tenant }).finally(() => {
    running.now = false;
  });
  const rows = new Set<number>();
  let stored = 0;
  while (running.now) {
    const [there] = await proven.events.query<{ rows: string }>(
      `select sum(total_rows) as rows
       from system.tables
       where database = {database:String} and engine like '%MergeTree'`,
      { database: `tenant_${tenant}` },
    );
    stored = Math.max(stored, Number(there?.rows));
    const map = await shown<{ types: { rows: number | null }[] }>(`/v1/t/${tenant}/data-map`);
    for (const type of map.types) rows.add(type.rows ?? 0);
    await sleep(500);
  }
  await round;
  assert.ok(stored > 0, 'canaries stood in the tables');
  assert.deepEqual([...rows], [0]);
  type Figures = { received: number; accepted: number; verification: number; drops: object[] };
  const figures = await shown<Figures>(`/v1/t/${tenant}/pipeline`);
  const { received, accepted, drops, verification } = figures;
  assert.deepEqual({ received, accepted, drops }, { received: 0, accepted: 0, drops: [] });
  assert.ok(verification > 0);
});

test('what proofs asked for canaries is no demand that the service has to answer for', async () => {
  const findings = await proven.prove({ tenant: 'magenta', control: 'erasure.hidden-at-once' });
  assert.deepEqual(
    findings.map(({ state }) => state),
    ['kept'],
  );
  const [row] = await proven.sql<{ demands: number; hidden: number }[]>`
    select (select count(*)::int from troth.erasures where tenant = 'magenta') as demands,
           (select count(*)::int from troth.hidden_subjects where tenant = 'magenta') as hidden`;
  assert.deepEqual(row, { demands: 0, hidden: 0 });
});

test('a start makes no demands of what the journal says of canaries that are gone', async () => {
  const demands = async () => {
    const [row] = await proven.sql<{ demands: number; hidden: number; spared: number }[]>`
      select (select count(*)::int from troth.erasures where tenant = 'magenta') as demands,
             (select count(*)::int from troth.hidden_subjects where tenant = 'magenta') as hidden,
             (select count(*)::int from troth.forget_spared) as spared`;
    return row;
  };
  await proven.prove({ tenant: 'magenta', control: 'erasure.hidden-at-once' });
  const before = await demands();
  assert.ok(before && before.spared > 0 && before.demands === 0);
  await proven.restart();
  assert.deepEqual(await demands(), { demands: 0, hidden: 0, spared: 0 });
});
