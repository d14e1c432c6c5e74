/**
 * A service is taken out of a running installation: what it held is nowhere any more, the others go
 * on, and what was done stays on record. Ended as by a power cut after each step, it is finished by
 * the next start.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Step } from '#oversight/removal';
import { connect, startPostgres } from '#platform/database';
import { type Events, openEvents, startClickHouse } from '#platform/events';
import { silentLog } from '#platform/log';
import { shortDirectory } from '#platform/runtime';
import { asOperator, type RunningServer, startRunning } from '#testing/running';
import type { Stop } from '#testing/stopping-server';

const ROOT = join(import.meta.dirname, '..', '..');
const MAIN = join(ROOT, 'server', 'main.ts');
const folder = mkdtempSync(join(tmpdir(), 'troth-out-'));
const policies = join(folder, 'policies');
const program = 'server/testing/stopping-server.ts';
const stack = new AsyncDisposableStack();

let sql: ReturnType<typeof connect>;
let events: Events;
let env: Record<string, string>;
let server: RunningServer;

before(async () => {
  mkdirSync(policies);
  for (const name of ['clanker', 'loopkit', 'magenta', 'workorders']) bring(name);
  const dataDir = join(folder, 'data');
  const given = { dataDir, runtimeDir: shortDirectory(join(folder, 'engines')), log: silentLog };
  const [database, engine] = await Promise.all([startPostgres(given), startClickHouse(given)]);
  stack.defer(() => Promise.all([database.stop(), engine.stop()]).then(() => undefined));
  sql = connect(database.url, { max: 2 });
  stack.defer(() => sql.end({ timeout: 2 }));
  events = stack.adopt(openEvents(engine.url), (open) => open.close());
  env = {
    TROTH_POSTGRES_URL: database.url,
    TROTH_CLICKHOUSE_URL: engine.url,
    TROTH_POLICIES_DIR: policies,
  };
  server = await startRunning({ folder, env, program });
});
after(async () => {
  await server?.stop();
  await stack.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
});

function bring(name: string): void {
  for (const end of ['yaml', 'md']) {
    cpSync(join(ROOT, 'policies', `${name}.${end}`), join(policies, `${name}.${end}`));
  }
}

const troth = (...words: string[]) =>
  new Promise<{ status: number; said: string }>((resolve) => {
    const places = { TROTH_DATA_DIR: join(folder, 'data'), TROTH_POLICIES_DIR: policies };
    const options = { env: { ...process.env, ...places } };
    execFile(process.execPath, [MAIN, ...words], options, (error, out, complaints) =>
      resolve({ status: Number(error?.code ?? 0), said: out + complaints }),
    );
  });

async function ask(method: string, path: string, body?: object) {
  const answer = await asOperator(server, path, { method, body });
  const text = await answer.text();
  const read = () => JSON.parse(text) as Record<string, unknown>;
  return { status: answer.status, text, json: text.startsWith('{') ? read() : {} };
}

const EVENTS: Record<string, object> = {
  clanker: { event: 'agent_command', properties: { tool: 'shell', outcome: 'done' } },
  workorders: { event: 'automation_run', properties: { run: 'run-1', outcome: 'done' } },
  loopkit: { event: 'feature_used', properties: { feature: 'export_data', success: true } },
};

async function send(tenant: string, key: string | undefined, userId: string): Promise<number> {
  const answer = await fetch(new URL(`/v1/t/${tenant}/batch`, server.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ batch: [{ type: 'track', userId, ...EVENTS[tenant] }] }),
  });
  await answer.text();
  return answer.status;
}

const databases = async () =>
  (await events.query<{ name: string }>('select name from system.databases')).map(
    ({ name }) => name,
  );

/** What of a service is where no row of it may be. */
async function leftOf(tenant: string): Promise<string[]> {
  const left: string[] = [];
  const tables = await sql<{ name: string }[]>`
    select table_name as name from information_schema.columns
    where table_schema = 'troth' and column_name = 'tenant'`;
  for (const { name } of tables) {
    if (/^(audit_\w+|policies|policy_statements|removals)$/.test(name)) continue;
    const [row] = await sql<{ n: number }[]>`
      select count(*)::int as n from troth.${sql(name)} where tenant = ${tenant}`;
    if (row?.n) left.push(`${row.n} rows in ${name}`);
  }
  const schemas = await sql`select 1 from pg_namespace where nspname = ${`tenant_${tenant}`}`;
  if (schemas.length > 0) left.push('a schema');
  const roles = await sql`
    select 1 from pg_roles where starts_with(rolname, ${`troth_${tenant}_`})`;
  if (roles.length > 0) left.push('roles');
  const named = await events.query<{ name: string }>(
    `select name from system.tables where startsWith(name, 'tenant_${tenant}__')`,
  );
  if (named.length > 0) left.push('views');
  if ((await databases()).some((name) => name.includes(tenant))) left.push('a database');
  return [...left, ...keysLeftOf(tenant)];
}

/** Read past the keeper, from the file that it writes. */
function keysLeftOf(tenant: string): string[] {
  const file = pathToFileURL(join(folder, 'keys', 'keyring.sqlite'));
  file.searchParams.set('immutable', '1');
  const keyring = new DatabaseSync(file, { readOnly: true });
  const tables = ['keks', 'handles', 'subject_keys', 'links', 'named_keys', 'destroyed_names'];
  const left = tables.filter((table) =>
    keyring.prepare(`select 1 from ${table} where tenant = ? limit 1`).get(tenant),
  );
  keyring.close();
  return left.map((table) => `rows in the keyring: ${table}`);
}

test('what will be lost is said first, and only who types the name again loses it', async () => {
  const person = `ada-${randomBytes(4).toString('hex')}`;
  for (let n = 0; n < 3; n++) {
    assert.equal(await send('clanker', server.writeKeys['clanker'], person), 200);
  }
  const shown = await troth('service', 'remove', 'clanker');
  assert.equal(shown.status, 2, shown.said);
  assert.match(shown.said, /cannot be undone/);
  assert.match(shown.said, /keyring +people +1\b/);
  const wrong = await troth('service', 'remove', 'clanker', '--confirm', 'clonker');
  assert.equal(wrong.status, 1);
  assert.match(wrong.said, /Name the service again/);
  const unconfirmed = await ask('POST', '/v1/operator/services/clanker/removal', { confirm: 'x' });
  assert.equal(unconfirmed.json['code'] ?? unconfirmed.text, 'removal-not-confirmed');
  assert.equal((await ask('GET', '/v1/t/clanker/promises')).status, 200, 'nothing was changed');
  assert.equal((await troth('service', 'remove', 'nobody', '--confirm', 'nobody')).status, 1);
  const stranger = await fetch(new URL('/v1/operator/services/clanker/removal', server.url));
  assert.equal(stranger.status, 401);
});

test('while somebody’s data has to be kept, their service stays', async () => {
  const hold = { subject: 'a'.repeat(32), ground: 'legal-obligation' };
  const placed = await ask('POST', '/v1/t/magenta/holds', hold);
  assert.ok(placed.status < 300, placed.text);
  const path = '/v1/operator/services/magenta/removal';
  const refused = await ask('POST', path, { confirm: 'magenta' });
  assert.equal(refused.json['code'], 'removal-held');
  assert.equal((await ask('GET', '/v1/t/magenta/promises')).status, 200);
});

test('a service that is taken out is nowhere any more, and the others go on', async () => {
  const key = server.writeKeys['clanker'];
  const removing = troth('service', 'remove', 'clanker', '--confirm', 'clanker');
  let isRemoved = false;
  void removing.then(() => {
    isRemoved = true;
  });
  const answers = new Set<string>();
  for (let n = 0; !isRemoved; n++) {
    answers.add(`loopkit ${await send('loopkit', server.writeKeys['loopkit'], 'bob')}`);
    answers.add(`clanker ${await send('clanker', key, `late-${n}`)}`);
  }
  const { status, said } = await removing;
  assert.equal(status, 0, said);
  assert.deepEqual([...answers].sort(), ['clanker 200', 'clanker 401', 'loopkit 200']);
  assert.match(said, /rm .*clanker\.yaml/, 'its document would bring it back');
  await sleep(2_000);
  assert.deepEqual(await leftOf('clanker'), []);
  assert.equal(await send('clanker', key, 'ada'), 401);
  assert.equal((await ask('GET', '/v1/t/clanker/promises')).status, 404);
  const tenants = (await ask('GET', '/v1/tenants')).text;
  assert.doesNotMatch(tenants, /clanker/);
  assert.doesNotMatch((await ask('GET', '/metrics')).text, /clanker/);
  assert.equal(await send('loopkit', server.writeKeys['loopkit'], 'bob'), 200);
  const listed = await troth('service', 'list');
  assert.match(listed.said, /clanker +taken out/);
});

test('what was done is in both logs, and the log of what is gone is verified as ever', async () => {
  for (const tenant of ['clanker', 'installation-']) {
    await sleep(1_500);
    const { json } = await ask('GET', `/v1/t/${tenant}/audit/entries?limit=200`);
    const leaves = (json['entries'] as { leaf: string }[]).map(({ leaf }) => leaf);
    const removed = leaves.filter((leaf) => leaf.includes('"event":"service.removed"'));
    assert.deepEqual(
      removed.map((leaf) => (JSON.parse(leaf) as { kind: string }).kind),
      ['intent', 'outcome'],
      tenant,
    );
  }
  const file = join(folder, 'clanker.ndjson');
  const exported = await troth('audit', 'export', '--tenant', 'clanker', '--out', file);
  assert.equal(exported.status, 0, exported.said);
  const key = join(folder, 'data', 'troth.pub');
  const verified = await troth('verify', file, '--key', key);
  assert.equal(verified.status, 0, verified.said);
  const journal = readFileSync(join(folder, 'keys', 'forget.journal'), 'utf8');
  assert.match(journal, /"kind":"service.removed","tenant":"clanker"/);
});

async function stopAfter(step: Step): Promise<void> {
  const armed = once(server.child, 'message');
  const stop: Stop = { after: step, times: 1 };
  server.child.send(stop);
  await armed;
}

for (const step of ['recorded', 'journalled', 'shredded', 'emptied', 'dropped'] as const) {
  test(`cut off when it was ${step}, the next start finishes it, and begins anew with the document`, async () => {
    bring('workorders');
    if (!(await ask('GET', '/v1/tenants')).text.includes('workorders')) {
      await server.stop();
      server = await startRunning({ folder, env, program });
    }
    assert.equal(await send('workorders', server.writeKeys['workorders'], 'cyd'), 200);
    await stopAfter(step);
    const path = '/v1/operator/services/workorders/removal';
    await assert.rejects(ask('POST', path, { confirm: 'workorders' }));
    await server.kill();
    rmSync(join(policies, 'workorders.yaml'));
    server = await startRunning({ folder, env, program });
    assert.deepEqual(await leftOf('workorders'), []);
    assert.equal((await ask('GET', '/v1/t/workorders/promises')).status, 404);
    const { json } = await ask('GET', '/v1/operator/services/removed');
    assert.ok(
      (json['removals'] as { finishedAt: unknown }[]).every(({ finishedAt }) => finishedAt),
    );
    bring('workorders');
    await server.stop();
    server = await startRunning({ folder, env, program });
    const again = await ask('GET', '/v1/t/workorders/data-map');
    const types = again.json['types'] as { rows: number | null }[];
    assert.equal(
      types.reduce((sum, { rows }) => sum + (rows ?? 0), 0),
      0,
      'the new one is empty',
    );
  });
}

test('a removal that cannot go on keeps nobody else down, and is finished when it can', async () => {
  await stopAfter('recorded');
  const path = '/v1/operator/services/workorders/removal';
  await assert.rejects(ask('POST', path, { confirm: 'workorders' }));
  await server.kill();
  // Somebody's demand that the crash left as it was taken in.
  await sql`
    insert into troth.erasures
      (id, tenant, subject, found, complete, reason, revision, state, requested_at)
    values (gen_random_uuid(), 'workorders', gen_random_uuid(), 'known', true, 'person-asked', 1,
            'recorded', now())`;
  const away = join(folder, 'data', 'instance.json', 'nowhere');
  server = await startRunning({ folder, env: { ...env, TROTH_KEYRING_COPY_DIR: away }, program });
  assert.equal(await send('loopkit', server.writeKeys['loopkit'], 'bob'), 200);
  assert.equal((await ask('GET', '/v1/t/workorders/promises')).status, 404);
  const said = await troth('doctor');
  assert.match(said.said, /workorders is being taken out, and that is not finished/);
  const again = await troth('service', 'remove', 'workorders', '--confirm', 'workorders');
  assert.equal(again.status, 1);
  assert.match(again.said, /second copy of the keyring/);
  const document = await ask('POST', '/v1/operator/policies/apply', {
    text: readFileSync(join(policies, 'workorders.yaml'), 'utf8'),
    reason: 'features: back',
    prose: readFileSync(join(policies, 'workorders.md'), 'utf8'),
  });
  assert.equal(document.json['code'], 'service-being-removed', document.text);
  await server.stop();
  rmSync(join(policies, 'workorders.yaml'));
  server = await startRunning({ folder, env, program });
  assert.deepEqual(await leftOf('workorders'), []);
});

test('a database that was restored to before is told again, once', async () => {
  await server.stop();
  server = await startRunning({ folder, env, program });
  assert.equal((await ask('GET', '/v1/t/clanker/promises')).status, 200, 'its document lies there');
  await server.stop();
  await sql`delete from troth.removals where tenant = 'clanker'`;
  await sql`create table tenant_clanker.restored (subject uuid)`;
  const removals = async () => {
    const rows = await sql<{ by: string }[]>`
      select actor_kind as by from troth.removals
      where tenant = 'clanker' and finished_at is not null`;
    return rows.map(({ by }) => by);
  };
  server = await startRunning({ folder, env, program });
  assert.deepEqual(await removals(), ['system']);
  const [restored] = await sql`select to_regclass('tenant_clanker.restored') as name`;
  assert.equal(restored?.['name'], null, 'what came back is gone again');
  // Its document lies in the folder still: that is a new service of the same name.
  assert.equal((await ask('GET', '/v1/t/clanker/promises')).status, 200);
  assert.equal(await send('clanker', server.writeKeys['clanker'], 'dee'), 200);
  await server.stop();
  server = await startRunning({ folder, env, program });
  assert.deepEqual(await removals(), ['system'], 'and nothing is removed twice');
  assert.equal((await ask('GET', '/v1/t/clanker/promises')).status, 200);
});

test('samples that leave the folder and are in force still are named, each with its command', async () => {
  const { status, said } = await troth('init', '--remove-samples');
  assert.equal(status, 0, said);
  assert.match(said, /In force still/);
  for (const name of ['loopkit', 'magenta']) {
    assert.ok(said.includes(`npm run troth -- service remove ${name}`), said);
  }
});
