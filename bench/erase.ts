/**
 * Erasing: one person among a million events (or as many as `--rows` says), then a thousand people
 * in one go. From the demand until nobody reads the person, until the key is gone, until no byte of
 * theirs is found on the disk and the certificate is signed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEvents, startClickHouse } from '../server/platform/events/index.ts';
import { silentLog } from '../server/platform/log/index.ts';
import { shortDirectory } from '../server/platform/runtime/index.ts';
import { asOperator, type RunningServer, startRunning } from '../server/testing/running.ts';
import { figure } from './rig.ts';

const TENANT = 'clanker';
const EVENTS_EACH = 10;
const PEOPLE = 1_001;
const FILL_AT_ONCE = 1_000_000;
const AT_ONCE = 20;
const BATCH = 500;

type Times = { requested: string; hidden: string; keyDestroyed: string; searched: string };
type Certificate = {
  complete: boolean;
  times: Times;
  stores: { deleted: number; remains: number }[];
  search: { places: { store: string; bytes: number; seconds: number; found: number }[] };
};
type Erasure = { id: string; state: string; hiddenAt: string; keyDestroyedAt: string };

const nameOf = (person: number) => `person-${person}-of-the-benchmark`;

async function operator<Body>(server: RunningServer, path: string, body?: object): Promise<Body> {
  const answer = await asOperator(server, `/v1/t/${TENANT}/${path}`, { body });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Body;
}

/** People with keys of their own, as they come in. */
async function sendPeople(server: RunningServer): Promise<void> {
  const events = Array.from({ length: PEOPLE * EVENTS_EACH }, (_, n) => ({
    type: 'track',
    event: 'agent_command',
    userId: nameOf(n % PEOPLE),
    messageId: `m-${n}`,
    properties: { tool: 'shell', outcome: 'done', sequence: n, arguments: { note: nameOf(n) } },
  }));
  for (let at = 0; at < events.length; at += BATCH) {
    const answer = await fetch(new URL(`/v1/t/${TENANT}/batch`, server.url), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${server.writeKeys[TENANT]}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ batch: events.slice(at, at + BATCH) }),
    });
    if (!answer.ok) throw new Error(`a batch was answered ${answer.status}`);
    // Under the limit of the key.
    await sleep((1_000 * BATCH) / 1_500);
  }
  for (;;) {
    const { inbox } = await operator<{ inbox: { rows: number } }>(server, 'pipeline');
    if (inbox.rows === 0) break;
    await sleep(200);
  }
  await sleep(2_000);
}

/** Everybody else: rows of the same shape, written into the engine's files while no server runs. */
async function fill(dataDir: string, rows: number): Promise<void> {
  const engine = await startClickHouse({
    dataDir,
    runtimeDir: shortDirectory(`${dataDir}-fill`),
    log: silentLog,
  });
  const events = openEvents(engine.url, { timeoutMs: 600_000 });
  try {
    for (let done = 0; done < rows; done += FILL_AT_ONCE) {
      const count = Math.min(FILL_AT_ONCE, rows - done);
      // A hundred events a person, over the last sixty days; sealed as long as most are.
      await events.command(
        `insert into tenant_${TENANT}.agent_commands
           (received_at, event_at, name, subject, session, message, sealed, expires)
         select now64(3) - toIntervalSecond(number % 5000000) as at, at, 'agent_command',
                sipHash128(toUInt64({from:UInt64} + number) % ${Math.ceil(rows / 100)}),
                rand64(1), rand64(2), randomString(120), toDateTime(4000000000)
         from numbers({count:UInt64})
         settings max_execution_time = 600, max_partitions_per_insert_block = 1000`,
        { from: done, count },
      );
    }
  } finally {
    await events.close();
    await engine.stop();
  }
}

/** Follows erasures until each is done. @returns the certificate of the last. */
async function untilDone(server: RunningServer, ids: readonly string[]): Promise<Certificate> {
  for (const id of ids) {
    for (;;) {
      const { state } = await operator<Erasure>(server, `erasures/${id}`);
      if (state === 'done') break;
      await sleep(50);
    }
  }
  const path = `erasures/${ids.at(-1)}/certificate`;
  const { document } = await operator<{ document: Certificate }>(server, path);
  if (!document.complete) throw new Error('the certificate is not complete');
  return document;
}

const erase = (server: RunningServer, person: number) =>
  operator<Erasure>(server, 'erasures', { handle: { kind: 'user', value: nameOf(person) } });

async function eraseOne(server: RunningServer, rows: number): Promise<void> {
  // The first demand after a start finds nothing ready; it is about nobody.
  const cold = performance.now();
  const nobody = await erase(server, PEOPLE + 1);
  figure({ name: 'first demand after a start', value: performance.now() - cold, unit: 'ms' });
  await untilDone(server, [nobody.id]);
  const began = performance.now();
  const asked = await erase(server, 0);
  const answered = performance.now() - began;
  const { times, search, stores } = await untilDone(server, [asked.id]);
  const done = performance.now() - began;
  const since = (time: string) => Date.parse(time) - Date.parse(times.requested);
  const among = `among ${rows.toLocaleString('en')} events`;
  figure({ name: `demand answered, ${among}`, value: answered, unit: 'ms' });
  figure({ name: '  until hidden from every reading', value: since(times.hidden), unit: 'ms' });
  figure({
    name: '  until the key is gone',
    value: since(times.keyDestroyed),
    unit: 'ms',
    aim: { value: 50, atMost: true },
  });
  const aim = { value: rows > 1_000_000 ? 60_000 : 10_000, atMost: true };
  figure({ name: '  until searched and certified', value: done, unit: 'ms', aim });
  const deleted = stores.reduce((sum, one) => sum + one.deleted, 0);
  figure({ name: '  rows deleted', value: deleted, unit: 'rows' });
  const bytes = search.places.reduce((sum, place) => sum + place.bytes, 0);
  const seconds = search.places.reduce((sum, place) => sum + place.seconds, 0);
  figure({ name: '  bytes searched', value: bytes / 1e6, unit: 'MB' });
  figure({ name: '  search', value: bytes / 1e6 / seconds, unit: 'MB/s' });
}

async function eraseMany(server: RunningServer): Promise<void> {
  const began = performance.now();
  const ids: string[] = [];
  for (let at = 1; at < PEOPLE; at += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, PEOPLE - at) }, (_, n) => at + n);
    const asked = await Promise.all(some.map((person) => erase(server, person)));
    ids.push(...asked.map(({ id }) => id));
  }
  const answered = performance.now() - began;
  await untilDone(server, ids);
  const done = performance.now() - began;
  const people = PEOPLE - 1;
  figure({ name: `${people.toLocaleString('en')} demands answered`, value: answered, unit: 'ms' });
  figure({ name: '  all keys gone', value: answered, unit: 'ms' });
  figure({ name: '  until searched and certified', value: done, unit: 'ms' });
  figure({ name: '  a person', value: done / people, unit: 'ms' });
}

export async function benchErase(rows = 1_000_000): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'troth-bench-erase-'));
  try {
    const first = await startRunning({ folder });
    await sendPeople(first);
    const { dataDir } = first;
    await first.stop();
    await fill(dataDir, rows);
    const server = await startRunning({ folder });
    try {
      await eraseOne(server, rows + PEOPLE * EVENTS_EACH);
      await eraseMany(server);
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
