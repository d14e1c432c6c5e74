/**
 * The audit log: entries a second without and with the sequencer, how long an entry takes to be in
 * the signed tree, and how long a log of a million entries takes to check.
 */
import { createWriteStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../server/base/clock.ts';
import { KeyId, TenantId } from '../server/base/ids.ts';
import { vkeyOf } from '../server/base/signed-note.ts';
import {
  appendAudit,
  auditHealth,
  exportLog,
  leafBytesOf,
  logFolder,
  openTenantLog,
  originOf,
  Sequencer,
} from '../server/core/audit/index.ts';
import { authorize } from '../server/core/policy/index.ts';
import { runCommand } from '../server/edges/cli/index.ts';
import { type Database, openDatabase, startPostgres } from '../server/platform/database/index.ts';
import { silentLog } from '../server/platform/log/index.ts';
import { shortDirectory } from '../server/platform/runtime/index.ts';
import { appendEntries, newLog } from '../server/platform/tiles/index.ts';
import { testSigner } from '../server/testing/signer.ts';
import { figure } from './rig.ts';

const tenant = TenantId('bench');
const instance = '00000000-0000-4000-8000-000000000000';
const signer = testSigner();
const permit = authorize(
  { tenant, revision: 1 },
  { kind: 'system', id: KeyId('bench') },
  'consent.record',
);
const WRITERS = 8;
/** A busy service: so many acts a second are far more than people do. */
const PACED_PER_SECOND = 200;
const VERIFIED_ENTRIES = 1_000_000;
const BATCH = 20_000;

const record = (db: Database) =>
  db.sql.begin((tx) =>
    appendAudit(Object.assign(tx, { now: new Date() }), permit, { event: 'consent.recorded' }),
  ) as Promise<string>;

/** As fast as eight writers go, each entry a transaction of its own. @returns entries a second. */
async function fullSpeed(db: Database, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1_000;
  const counts = await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      let count = 0;
      for (; performance.now() < end; count += 1) await record(db);
      return count;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0) / seconds;
}

async function drained(db: Database): Promise<number> {
  const began = performance.now();
  while ((await auditHealth(db)).waiting > 0) await sleep(20);
  return performance.now() - began;
}

/** From the commit of an entry to the checkpoint that has it. @returns milliseconds, sorted. */
async function timesToInclusion(db: Database, dir: string, seconds: number): Promise<number[]> {
  const committed = new Map<string, number>();
  const times: number[] = [];
  let seen = openTenantLog(dir, tenant)?.size ?? 0;
  const look = () => {
    const log = openTenantLog(dir, tenant);
    const now = performance.now();
    if (!log || log.size === seen) return;
    const reader = log.read();
    for (; seen < log.size; seen += 1) {
      const { id } = JSON.parse(reader.entry(seen).toString('utf8')) as { id: string };
      const since = committed.get(id);
      if (since !== undefined) times.push(now - since);
    }
  };
  const count = PACED_PER_SECOND * seconds;
  for (let at = 0; at < count; at += 1) {
    void record(db).then((id) => committed.set(id, performance.now()));
    await sleep(1_000 / PACED_PER_SECOND);
    if (at % 2 === 0) look();
  }
  for (let more = 0; more < 200; more += 1, await sleep(10)) look();
  return times.sort((a, b) => a - b);
}

async function sequencing(folder: string, seconds: number): Promise<void> {
  const runtimeDir = shortDirectory(folder);
  const engine = await startPostgres({ dataDir: folder, runtimeDir, log: silentLog });
  const db = await openDatabase({ url: engine.url, log: silentLog });
  try {
    const without = await fullSpeed(db, seconds);
    figure({ name: 'entries, no sequencer, 8 writers', value: without, unit: 'per s' });
    const [auditDir, copyDir] = [join(folder, 'logs'), join(folder, 'copies')];
    const given = { db, clock: systemClock, log: silentLog, signer, instance, auditDir, copyDir };
    const sequencer = new Sequencer(given);
    const waiting = (await auditHealth(db)).waiting;
    await sequencer.start();
    const value = waiting / ((await drained(db)) / 1_000);
    figure({ name: 'entries into the tree, nothing else to do', value, unit: 'per s' });
    const beside = { name: 'without', value: without };
    const began = performance.now();
    const written = (await fullSpeed(db, seconds)) * seconds;
    await drained(db);
    const rate = written / ((performance.now() - began) / 1_000);
    figure({ name: 'entries, all in the tree, 8 writers', value: rate, unit: 'per s', beside });
    const times = await timesToInclusion(db, auditDir, seconds);
    const at = (part: number) => times[Math.floor(times.length * part)] ?? Number.NaN;
    const name = `time to inclusion, ${PACED_PER_SECOND} entries/s`;
    figure({ name: `${name}, p50`, value: at(0.5), unit: 'ms' });
    figure({
      name: `${name}, p99`,
      value: at(0.99),
      unit: 'ms',
      aim: { value: 1_000, atMost: true },
    });
    await sequencer.stop();
  } finally {
    await db.close();
    await engine.stop();
  }
}

const entry = (index: number): Buffer =>
  leafBytesOf({
    id: `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`,
    tenant,
    at: new Date(1_700_000_000_000 + index),
    kind: 'act',
    event: 'consent.recorded',
    actorKind: 'write-key',
    actorId: 'bench',
    action: 'consent.record',
    subject: null,
    fields: { purpose: 'statistics', granted: true },
    commitments: null,
    revision: 1,
    intent: null,
  });

async function verifying(folder: string): Promise<void> {
  const auditDir = join(folder, 'million');
  const dir = logFolder(auditDir, tenant);
  const place = { dir, copy: { dir: join(folder, 'copies'), name: 'million' }, signer };
  let log = newLog(originOf(instance, tenant));
  while (log.edge.size < VERIFIED_ENTRIES) {
    const from = log.edge.size;
    const batch = Array.from({ length: BATCH }, (_, at) => entry(from + at));
    log = await appendEntries(place, log, batch);
  }
  const file = join(folder, 'million.ndjson');
  const lines = exportLog({ auditDir, tenant, signer, clock: systemClock });
  await pipeline(Readable.from(lines), createWriteStream(file));
  const key = join(folder, 'key.pub');
  writeFileSync(key, vkeyOf({ name: 'bench', publicKey: signer.publicKey }));
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  const given = { root: folder, dataDir: folder, policiesDir: folder, today: '2026-01-01' };
  const input = { keyring: { dir: folder }, readInput: async () => '', ask: undefined };
  const terminal = { ...input, print: say, complain: say, colour: false };
  for (const [what, path] of [
    ['a file', file],
    ['a folder of tiles', dir],
  ] as const) {
    const began = performance.now();
    const code = await runCommand(['verify', path, '--key', key], { ...given, ...terminal });
    if (code !== 0) throw new Error(said.join('\n'));
    const value = (performance.now() - began) / 1_000;
    figure({ name: `verify of 1 million entries, ${what}`, value, unit: 's' });
  }
  figure({ name: '  that file', value: statSync(file).size / 1e6, unit: 'MB' });
  figure({ name: '  memory after it', value: process.memoryUsage().rss / 1e6, unit: 'MB' });
}

export async function benchAudit(seconds = 8): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'troth-audit-'));
  try {
    await sequencing(folder, seconds);
    await verifying(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
