/** The keyring is lost, and comes back from its second copy and the printed kit. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSecretKey } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { SubjectId, TenantId } from '#base/ids';
import { openField } from '#core/keys';
import { openEvents, startClickHouse } from '#platform/events';
import { type OpenedKey, openKeeper, startKeeper } from '#platform/keeper';
import { silentLog } from '#platform/log';
import { shortDirectory } from '#platform/runtime';
import { refusalOf, until } from '#testing/faults';
import { asOperator, type RunningServer, startRunning } from '#testing/running';

const MAIN = join(import.meta.dirname, '..', 'main.ts');
const folder = mkdtempSync(join(tmpdir(), 'troth-kit-'));
const keys = join(folder, 'keys');
const copy = join(folder, 'copy');
const env = { TROTH_KEYRING_COPY_DIR: copy };
let server: RunningServer;
let shares: string[];

async function troth(args: string[], typed = '') {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: {
      ...process.env,
      ...env,
      NODE_NO_WARNINGS: '1',
      TROTH_DATA_DIR: join(folder, 'data'),
      TROTH_KEYRING_DIR: keys,
    },
  });
  child.stdin.end(typed);
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code: Number(code), out, said: out + err };
}

/** One event of the same person, sent and stored. */
async function send(note: string, stored: number): Promise<void> {
  const properties = { tool: 'shell', arguments: { note } };
  const answer = await fetch(new URL('/v1/t/clanker/batch', server.url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${server.writeKeys['clanker']}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      batch: [{ type: 'track', userId: 'ada', event: 'agent_command', properties }],
    }),
  });
  assert.equal(answer.status, 200);
  const body = { data: 'agent-commands', purpose: 'service-delivery' };
  await until('it is stored', 20_000, async () => {
    const read = await asOperator(server, '/v1/t/clanker/events/read', { body });
    return ((await read.json()) as { rows: unknown[] }).rows.length === stored;
  });
}

type Row = { subject: string; message: string; frame: string };

/** What the stopped server's files hold of the person, opened by the keyring that stands there. */
async function opened(passphraseFile?: string): Promise<{ subjects: number; texts: string[] }> {
  await using stack = new AsyncDisposableStack();
  const runtimeDir = shortDirectory(join(folder, 'look'));
  mkdirSync(runtimeDir, { recursive: true });
  const given = { runtimeDir, log: silentLog };
  const engine = await startClickHouse({ ...given, dataDir: join(folder, 'data') });
  stack.defer(() => engine.stop());
  const events = stack.adopt(openEvents(engine.url), (open) => open.close());
  const rows = await events.query<Row>(
    `select lower(hex(subject)) as subject, toString(message) as message, hex(sealed) as frame
     from tenant_clanker.agent_commands order by received_at`,
  );
  const child = await startKeeper({ ...given, keyringDir: keys, passphraseFile, create: false });
  stack.defer(() => child.stop());
  const keeper = stack.adopt(openKeeper(child.socketPath), (open) => open.close());
  const subjects = [...new Set(rows.map(({ subject }) => subject))];
  const ask = { tenant: 'clanker', subjects, at: Date.now() };
  const [key] = (await keeper.call('open', ask)) as OpenedKey[];
  const raw = (text = '') => Buffer.from(text, 'base64');
  const open = { keyId: raw(key?.keyId), key: createSecretKey(raw(key?.key)) };
  const texts = rows.map(({ subject, message, frame }) =>
    openField(open, Buffer.from(frame, 'hex'), {
      tenant: TenantId('clanker'),
      table: 'agent_commands',
      subject: SubjectId(subject),
      revision: 1,
      row: BigInt(message).toString(16).padStart(16, '0'),
    }).toString(),
  );
  return { subjects: subjects.length, texts };
}

before(async () => {
  server = await startRunning({ folder, env });
});
after(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('a kit is made, a person is known, and a restore is refused while the server runs', async () => {
  await send('hers alone', 1);
  const split = ['keys', 'recovery-kit', '--shares', '3', '--threshold', '2'];
  assert.equal((await troth([...split, '--out', join(folder, 'kit.txt')])).code, 0);
  const printed = readFileSync(join(folder, 'kit.txt'), 'utf8');
  shares = printed.split('\n').filter((line) => /^\d {2}/.test(line));
  assert.equal(shares.length, 3);
  const { code, said } = await troth(['keys', 'restore', join(folder, 'kit.txt')]);
  assert.equal(code, 1);
  assert.match(said, /in use by the server/);
});

test('without its keyring the data is refused, with the command that brings it back', async () => {
  await server.stop();
  const stands = await troth(['keys', 'restore', join(folder, 'kit.txt')]);
  assert.equal(stands.code, 1);
  assert.match(stands.said, /a keyring is there already: move it away/);
  renameSync(keys, join(folder, 'lost'));
  assert.match(await refusalOf({ folder, env }), /holds no keys for it.*troth -- keys restore/);
});

test('what does not restore says why, and leaves no keyring behind', async () => {
  const [one = '', two = ''] = shares;
  const other = join(folder, 'other');
  mkdirSync(other);
  writeFileSync(join(other, 'instance.json'), '{"id":"another","version":1}');
  writeFileSync(join(other, 'keyring.sqlite'), 'no keyring');
  const damaged = join(folder, 'damaged');
  cpSync(copy, damaged, { recursive: true });
  writeFileSync(join(damaged, 'keyring.sqlite'), 'no keyring');
  const truncated = join(folder, 'truncated');
  cpSync(copy, truncated, { recursive: true });
  truncateSync(join(truncated, 'keyring.sqlite'), 8_192);
  for (const [more, typed, says] of [
    [[], '', /no line of a kit/],
    [[], one, /too few shares/],
    [[], `${one}\n${one}`, /same share/],
    [[], `${one}\n${two.slice(0, -1)}`, /mistyped/],
    [['--copy', join(folder, 'data')], `${one}\n${two}`, /the copy holds no keyring/],
    [['--copy', other], `${one}\n${two}`, /the keys of other data/],
    [['--copy', damaged], `${one}\n${two}`, /the copy cannot be read: it is damaged/],
    [['--copy', truncated], `${one}\n${two}`, /it is damaged/],
    [[join(folder, 'nowhere.txt')], '', /there is no such file/],
  ] as const) {
    const { code, said } = await troth(['keys', 'restore', ...more], typed);
    assert.ok(code > 0, said);
    assert.match(said, says);
  }
  assert.equal(existsSync(join(keys, 'keyring.sqlite')), false);
  assert.deepEqual(
    readdirSync(keys).filter((name) => name.startsWith('.')),
    [],
  );
});

test('the kit and the second copy open the same person again, whatever case they are typed in', async () => {
  const [, two = '', three = ''] = shares;
  const typed = `${three.toLowerCase()}\n\n${two.replaceAll('-', ' ')}\n`;
  const { code, out } = await troth(['keys', 'restore', '--json'], typed);
  assert.equal(code, 0, out);
  const said = JSON.parse(out);
  assert.ok(said.keysOpened > 0);
  assert.ok(Date.parse(said.newestKeyAt) <= Date.now());
  assert.deepEqual([said.missing, said.brought], [['forget.journal', 'checkpoints'], []]);
  assert.equal(statSync(keys).mode & 0o777, 0o700);
  for (const name of readdirSync(keys)) {
    assert.equal(statSync(join(keys, name)).mode & 0o777, 0o600, name);
  }
  server = await startRunning({ folder, env });
  await send('and later', 2);
  await server.stop();
  const { subjects, texts } = await opened();
  assert.equal(subjects, 1, 'it is the same person as before');
  assert.match(texts.join(), /hers alone.*and later/);
});

test('a keyring that was moved aside is a copy too, and brings the forget journal along', async () => {
  const aside = join(folder, 'aside');
  renameSync(keys, aside);
  const secret = join(folder, 'passphrase');
  writeFileSync(secret, 'a new one\n', { mode: 0o600 });
  Object.assign(env, { TROTH_KEYRING_PASSPHRASE_FILE: secret });
  const { code, said } = await troth(
    ['keys', 'restore', join(folder, 'kit.txt'), '--copy', aside],
    'not read',
  );
  assert.equal(code, 0, said);
  assert.match(said, /holds the keyring again: all \d+ keys of the copy open/);
  assert.match(said, /A key made after the copy was is not in it/);
  assert.doesNotMatch(said, /Missing/);
  assert.ok(existsSync(join(keys, 'forget.journal')));
  assert.match((await opened(secret)).texts.join(), /hers alone.*and later/);
});
