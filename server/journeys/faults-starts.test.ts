/** Starts that are refused with a sentence, and a disk that is full. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultLoad, leftIn, mountSmallDisk, refusalOf, until } from '#testing/faults';
import { asOperator, type RunningServer, startRunning } from '#testing/running';

const POLICIES = join(import.meta.dirname, '..', '..', 'policies');
const folder = mkdtempSync(join(tmpdir(), 'troth-starts-'));
const home = join(folder, 'home');
const timeout = 60_000;
let first: RunningServer;
before(async () => {
  first = await startRunning({ folder: home });
});
after(async () => {
  await first?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const isReady = async ({ url }: RunningServer) =>
  (await fetch(new URL('/readyz', url))).status === 200;

test('a second start on one data directory names the owner, and the first goes on', async () => {
  const said = await refusalOf({ folder: home });
  assert.match(said, new RegExp(`troth: .*is in use by .*process id ${first.child.pid}\\b`));
  assert.ok(await isReady(first));
});

test('a taken port is named, and nothing of the refused start is left running', {
  timeout,
}, async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  const elsewhere = join(folder, 'port');
  const said = await refusalOf({ folder: elsewhere, env: { TROTH_HTTP_PORT: String(port) } });
  assert.match(
    said,
    new RegExp(`^troth: .*port ${port} belongs to another program.*TROTH_HTTP_PORT`),
  );
  assert.deepEqual(globSync('data/{pg,postgres,clickhouse,ch}*', { cwd: elsewhere }), []);
  await until('its children are gone', 5_000, () => leftIn(elsewhere).length === 0);
  holder.close();
});

const revisionOf = async ({ url }: RunningServer, tenant: string) => {
  const answer = await fetch(new URL(`/v1/t/${tenant}/policy`, url));
  return ((await answer.json()) as { revision: number }).revision;
};

/** Changes one line of a copy of the policies; returns its number. */
function edit(drafts: string, file: string, from: string, to: string): number {
  const text = readFileSync(join(drafts, file), 'utf8');
  assert.ok(text.includes(from));
  writeFileSync(join(drafts, file), text.replace(from, to));
  return text.slice(0, text.indexOf(from)).split('\n').length;
}

const leftOutOf = (server: RunningServer) =>
  server
    .log()
    .split('\n')
    .filter((line) => line.includes('"policy.left-out"'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function doctorOf(server: RunningServer): Promise<string[]> {
  const answer = await asOperator(server, '/v1/operator/doctor');
  const { ailments } = (await answer.json()) as { ailments: { what: string; type: string }[] };
  return ailments.map(({ what, type }) => `${what} → ${type}`);
}

test('a first start with a broken document names its file and line, and applies none', {
  timeout,
}, async () => {
  const drafts = join(folder, 'first-policies');
  cpSync(POLICIES, drafts, { recursive: true });
  const line = edit(drafts, 'magenta.yaml', 'retain: P', 'retain: for a while #');
  const said = await refusalOf({ folder: join(folder, 'fresh'), args: ['--policies', drafts] });
  assert.match(said, /^troth: .*nothing was applied/);
  assert.match(said, new RegExp(`magenta\\.yaml, line ${line}\\b`));
});

test('documents that cannot be put in force leave the running revisions, and every service runs', {
  timeout,
}, async () => {
  await first.stop();
  const drafts = join(folder, 'policies');
  cpSync(POLICIES, drafts, { recursive: true });
  edit(drafts, 'conducktr.yaml', 'title: ', 'title: The other ');
  const line = edit(drafts, 'clanker.yaml', 'retain: P90D', 'retain: 90 days');
  writeFileSync(join(drafts, 'magenta.yaml'), '\u0000: [not, yaml');
  rmSync(join(drafts, 'loopkit.yaml'));
  mkdirSync(join(drafts, 'loopkit.yaml'));
  rmSync(join(drafts, 'workorders.md'));
  writeFileSync(join(drafts, 'seventh.yaml'), 'service: seventh\nretain: soon\n');
  const args = ['--policies', drafts];
  first = await startRunning({ folder: home, args });

  for (const tenant of ['clanker', 'magenta', 'loopkit', 'workorders'])
    assert.equal(await revisionOf(first, tenant), 1, tenant);
  assert.equal(await revisionOf(first, 'conducktr'), 2, 'what is right comes into force');
  assert.equal(await new FaultLoad(first).send(new FaultLoad(first).batch()), 200);

  const said = first.log();
  const path = join(drafts, 'clanker.yaml');
  const of = (file: string) => said.split('\n').filter((text) => text.includes(`${file}.yaml,`));
  assert.equal(of('clanker').length, 1, said);
  assert.ok(of('clanker')[0]?.startsWith(`troth: ${path}, line ${line}, was not applied: `), said);
  assert.match(
    said,
    /90 days.*; revision 1 of clanker stays in force\. Type: npm run troth -- lint/,
  );
  for (const file of ['magenta', 'loopkit', 'workorders'])
    assert.match(of(file).join(), new RegExp(`revision 1 of ${file} stays in force`), said);
  assert.match(of('seventh').join(), /seventh has no revision in force, so nothing of it runs/);
  const services = ['clanker', 'loopkit', 'magenta', undefined, 'workorders'];
  assert.deepEqual(
    leftOutOf(first).map(({ tenant, revision, code }) => [tenant, revision, code]),
    services.map((tenant) => [tenant, tenant && 1, 'policy-has-errors']),
  );
  const doctor = await doctorOf(first);
  assert.ok(
    doctor.some((text) => text.startsWith(`${path}, line ${line}, was not applied`)),
    doctor.join('\n'),
  );
  assert.ok(doctor.some((text) => text.endsWith(`npm run troth -- lint ${path}`)));

  await first.stop();
  cpSync(join(POLICIES, 'magenta.yaml'), join(drafts, 'magenta.yaml'));
  edit(drafts, 'clanker.yaml', 'retain: 90 days', 'retain: P90D');
  edit(drafts, 'clanker.yaml', 'title: Agent Commands', 'title: Commands of Agents');
  first = await startRunning({ folder: home, args });
  assert.equal(await revisionOf(first, 'clanker'), 2, 'mended, it comes into force');
  assert.equal(await revisionOf(first, 'magenta'), 1);
  assert.ok((await doctorOf(first)).every((text) => !text.includes('clanker.yaml')));
});

test('data without its keys, and data of a newer version, are refused and stay as they were', {
  timeout,
}, async () => {
  await first.stop();
  const keys = join(home, 'keys');
  renameSync(keys, `${keys}-away`);
  assert.match(await refusalOf({ folder: home }), /^troth: .*keys.*restore the keyring/);
  rmSync(keys, { recursive: true, force: true });
  renameSync(`${keys}-away`, keys);

  const file = join(home, 'data', 'instance.json');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(text), version: 9_000 }));
  assert.match(await refusalOf({ folder: home }), /^troth: .*version 9000.*Use the newer server/);
  writeFileSync(file, text);

  first = await startRunning({ folder: home });
  assert.ok(await isReady(first));
});

test('on a full disk events and decisions are refused for a while, nothing acknowledged is lost, and space mends it', {
  timeout: 90_000,
}, async (t) => {
  const small = join(folder, 'small');
  const disk = mountSmallDisk(join(small, 'data'), 400);
  if (!disk) return t.skip('this user may not mount a small disk');
  let server: RunningServer | undefined;
  try {
    server = await startRunning({ folder: small });
    const load = new FaultLoad(server, 3_500);
    const decisions = await decidingOn(server);
    await load.deliver();
    const filler = join(disk.path, 'filler');
    // The last page of the log is written too, so that the next line has no place.
    fill(join(disk.path, 'log', 'troth.jsonl'), disk.path);
    truncateSync(join(disk.path, 'log', 'troth.jsonl'), 8_192);
    fill(filler, disk.path);
    await until('an event is refused', 30_000, async () => {
      fill(filler, disk.path);
      return (await load.send(load.batch())) === 503;
    });
    for (let n = 0; n < 10; n += 1) {
      fill(filler, disk.path);
      await load.send(load.batch());
      for (const act of ['withdraw', 'status']) await decisions.ask(act);
      assert.equal(await isReady(server), false);
      await sleep(200);
    }
    t.diagnostic(`decisions ${JSON.stringify([...decisions.answers])}`);
    const refused = [...decisions.answers.keys()].filter((answer) => answer.startsWith('503'));
    assert.ok(refused.length > 0);
    rmSync(filler);
    await until(
      'decisions are taken',
      30_000,
      async () => (await decisions.ask('withdraw')) === 200,
    );
    assert.ok(await isReady(server));
    assert.ok(!server.log().includes('bug.seen'), server.log());
    await load.deliver(30_000);
    await load.settle();
    t.diagnostic(`answers ${JSON.stringify([...load.answers])}`);
  } finally {
    await server?.stop();
    disk.unmount();
  }
});

/** Asks about the consents of somebody new each time; what is refused is a problem that says when. */
async function decidingOn(server: RunningServer) {
  const path = '/v1/operator/t/loopkit/write-keys';
  const made = await asOperator(server, path, {
    body: { application: 'decisions', scopes: ['consent'] },
  });
  const { key } = (await made.json()) as { key: string };
  const answers = new Map<string, number>();
  const ask = async (act: string): Promise<number> => {
    const userId = `person-${answers.size}-${performance.now()}`;
    const answer = await fetch(new URL(`/v1/t/loopkit/consents/${act}`, server.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ handle: { userId } }),
    });
    const { code = '' } = (await answer.json()) as { code?: string };
    const name = `${answer.status} ${code}`.trim();
    answers.set(name, (answers.get(name) ?? 0) + 1);
    if (answer.status >= 400) {
      assert.match(name, /^503 (database-full|journal-not-durable|keeper-unavailable)$/);
      assert.ok(Number(answer.headers.get('retry-after')) > 0, name);
    }
    return answer.status;
  };
  return { answers, ask };
}

/** Takes what is free. Grows the file it is given, a megabyte and then a page at a time. */
function fill(file: string, disk: string): void {
  for (const bytes of [1024 * 1024, 4_096]) {
    const block = Buffer.alloc(bytes, 1);
    try {
      for (let free = statfsSync(disk).bavail; free > 0; free = statfsSync(disk).bavail) {
        writeFileSync(file, block, { flag: 'a' });
      }
    } catch {
      // Full.
    }
  }
  assert.ok(statSync(file).size > 0);
}
