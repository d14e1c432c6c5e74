import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { enableCompileCache, getCompileCacheDir } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Word } from '#base/ids';
import { silentLog } from '#platform/log';
import {
  canReach,
  checkInstance,
  checkPort,
  findServiceUser,
  freePort,
  nodeEnvironment,
  openDataDirectory,
  openRuntimeDirectory,
  shortDirectory,
  stopOrphans,
  supervise,
} from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'troth-runtime-'));
after(() => rmSync(root, { recursive: true, force: true }));
const fresh = (name: string) => mkdtempSync(join(root, `${name}-`));
const directories = () => ({ dataDir: fresh('data'), keyringDir: fresh('keys') });

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(done: () => boolean, withinMs = 5_000): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await wait(10)) {
    if (done()) return true;
  }
  return done();
}

/** A child that writes a file when it serves, and another when it is asked to end. */
const child = (directory: string, script: string) => ({
  name: Word('test-child'),
  command: process.execPath,
  args: ['-e', script, directory],
  ready: async () => {
    if (!existsSync(join(directory, 'ready'))) throw new Error('not yet');
  },
  log: silentLog,
});
const SERVE = `const fs = require('node:fs'), dir = process.argv[1];
  process.on('SIGTERM', () => { fs.writeFileSync(dir + '/asked', ''); process.exit(0); });
  fs.writeFileSync(dir + '/ready', String(process.pid)); setInterval(() => {}, 1000);`;

test('a child that dies is started again, and one that is stopped stays down', async () => {
  const directory = fresh('child');
  const supervised = await supervise(child(directory, SERVE));
  const first = supervised.pid;
  rmSync(join(directory, 'ready'));
  process.kill(first, 'SIGKILL');
  assert.ok(await until(() => supervised.pid !== 0 && supervised.pid !== first));
  await supervised.whenReady();
  const second = supervised.pid;
  await supervised.stop();
  assert.ok(existsSync(join(directory, 'asked')), 'it was asked before it was made to end');
  await wait(150);
  assert.equal(isAlive(second), false);
  assert.equal(supervised.pid, 0);
  assert.equal(supervised.restarts, 1);
});

test('a child that never serves is a problem, and nothing of it is left running', async () => {
  const directory = fresh('mute');
  const script = `require('node:fs').writeFileSync(process.argv[1] + '/pid', String(process.pid));
    setInterval(() => {}, 1000);`;
  await assert.rejects(supervise({ ...child(directory, script), readyWithinMs: 600 }), {
    code: 'child-did-not-start',
  });
  assert.equal(isAlive(Number(readFileSync(join(directory, 'pid'), 'utf8'))), false);
});

/** Hangs in its start as often as the file says, deaf to what should end it; then it serves. */
const HANG = `const fs = require('node:fs'), dir = process.argv[1];
  const left = Number(fs.readFileSync(dir + '/hangs', 'utf8'));
  process.on('SIGTERM', () => {});
  setInterval(() => {}, 1000);
  if (left > 0) fs.writeFileSync(dir + '/hangs', String(left - 1));
  else fs.writeFileSync(dir + '/ready', '');`;

test('a child that runs and never serves is started again, at first and after a death', async () => {
  const directory = fresh('hung');
  const hangs = join(directory, 'hangs');
  writeFileSync(hangs, '2');
  const given = { hangsAfterMs: 300, readyWithinMs: 30_000, stopWithinMs: 100 };
  const began = Date.now();
  const supervised = await supervise({ ...child(directory, HANG), ...given });
  assert.ok(Date.now() - began < 15_000);
  assert.equal(readFileSync(hangs, 'utf8'), '0');

  const first = supervised.pid;
  rmSync(join(directory, 'ready'));
  writeFileSync(hangs, '2');
  process.kill(first, 'SIGKILL');
  assert.ok(await until(() => existsSync(join(directory, 'ready')), 15_000));
  await supervised.whenReady();
  assert.equal(readFileSync(hangs, 'utf8'), '0');

  rmSync(join(directory, 'ready'));
  writeFileSync(hangs, '9');
  process.kill(supervised.pid, 'SIGKILL');
  await until(() => readFileSync(hangs, 'utf8') === '8');
  const hung = supervised.pid;
  await supervised.stop();
  assert.ok(hung > 0);
  assert.equal(isAlive(hung), false, 'a stop does not wait for a start that hangs');
});

test('a child that is stopped, and so hears nothing, is made to end all the same', async () => {
  const directory = fresh('frozen');
  const given = { stopWithinMs: 100, killSignal: 'SIGQUIT' } as const;
  const supervised = await supervise({ ...child(directory, SERVE), ...given });
  const { pid } = supervised;
  process.kill(pid, 'SIGSTOP');
  await supervised.stop();
  assert.equal(isAlive(pid), false);
});

test('a child that does not end when asked is made to end', async () => {
  const directory = fresh('deaf');
  const script = `process.on('SIGTERM', () => {});
    require('node:fs').writeFileSync(process.argv[1] + '/ready', ''); setInterval(() => {}, 1000);`;
  const supervised = await supervise({ ...child(directory, script), stopWithinMs: 200 });
  const { pid } = supervised;
  await supervised.stop();
  assert.equal(isAlive(pid), false);
});

for (const [how, setpriv] of [
  ['the kernel', '/usr/bin/setpriv'],
  ['a watching shell', ''],
] as const) {
  test(`a child is gone soon after its parent was killed, through ${how}`, async (t) => {
    if (setpriv && !existsSync(setpriv)) return t.skip('setpriv is not installed');
    const script = `import { deathRope } from '${join(import.meta.dirname, 'death-rope.ts')}';
      import { spawn } from 'node:child_process';
      const rope = deathRope('/bin/sleep', ['60'], 'TERM', '${setpriv}' || undefined);
      const child = spawn(rope.command, rope.args, { detached: true, stdio: 'ignore' });
      rope.tie(child); console.log(child.pid); setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script]);
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString())));
    });
    await wait(150);
    assert.ok(isAlive(pid));
    parent.kill('SIGKILL');
    assert.ok(await until(() => !isAlive(pid)), 'the child outlived its parent');
  });
}

test('what outlived its server is stopped, by its own words and by no others', async () => {
  const deaf = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);";
  const begin = (script: string, word: string) =>
    spawn(process.execPath, ['-e', script, '--', word], { stdio: 'ignore' });
  const [kind, stubborn, stranger] = [
    begin('setInterval(() => {}, 1000)', '--path=/a/b'),
    begin(deaf, '--path=/a/b'),
    begin('setInterval(() => {}, 1000)', '--path=/a/bc'),
  ];
  const ended: number[] = [];
  for (const one of [kind, stubborn, stranger]) one.once('exit', () => ended.push(one.pid ?? 0));
  await wait(300);
  await stopOrphans(['--path=/a/b'], { child: Word('test-child'), log: silentLog });
  await until(() => ended.length >= 2);
  stranger.kill();
  assert.deepEqual(ended, [kind.pid, stubborn.pid]);
});

test('two servers never own one data directory, and the second is told who does', () => {
  const given = directories();
  const first = openDataDirectory(given);
  assert.throws(() => openDataDirectory(given), {
    code: 'data-directory-in-use',
    detail: new RegExp(`process id ${process.pid}\\b`),
  });
  first.release();
  openDataDirectory(given).release();
});

test('the data directory is free again when its owner was killed', async () => {
  const given = directories();
  const door = join(import.meta.dirname, 'data-directory.ts');
  const script = `import { openDataDirectory } from '${door}';
    globalThis.mine = openDataDirectory(${JSON.stringify(given)});
    console.log("mine");
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
  });
  await new Promise((resolve) => owner.stdout.once('data', resolve));
  assert.throws(() => openDataDirectory(given), { code: 'data-directory-in-use' });
  owner.kill('SIGKILL');
  await new Promise((resolve) => owner.once('exit', resolve));
  openDataDirectory(given).release();
});

test('data without its keys is refused, and no new keyring is made for it', () => {
  const given = directories();
  const opened = openDataDirectory(given);
  const { instance } = opened;
  assert.ok(opened.fresh);
  opened.settle();
  opened.release();
  assert.deepEqual(checkInstance(given), { instance, fresh: false });
  const elsewhere = fresh('other-keys');
  assert.throws(() => checkInstance({ ...given, keyringDir: elsewhere }), {
    code: 'data-without-keys',
  });
  assert.equal(existsSync(join(elsewhere, 'instance.json')), false);
});

test('a first start that was cut off is taken up as one, with its keys or with none', () => {
  const given = directories();
  const { instance } = checkInstance(given);
  writeFileSync(join(given.keyringDir, 'keyring.sqlite'), 'keys');
  assert.deepEqual(checkInstance(given), { instance, fresh: true });
  rmSync(given.keyringDir, { recursive: true });
  assert.deepEqual(checkInstance(given), { instance, fresh: true });
});

test('the keys of other data are refused, whether this data is old or new', () => {
  const [mine, other] = [directories(), directories()];
  for (const given of [mine, other]) {
    const opened = openDataDirectory(given);
    opened.settle();
    opened.release();
  }
  assert.throws(() => checkInstance({ ...mine, keyringDir: other.keyringDir }), {
    code: 'data-without-keys',
  });
  writeFileSync(join(other.keyringDir, 'keyring.sqlite'), 'keys');
  assert.throws(() => checkInstance({ dataDir: fresh('new'), keyringDir: other.keyringDir }), {
    code: 'data-without-keys',
  });
});

test('data of a newer version is refused, and so is data whose version cannot be read', () => {
  for (const version of [2, '"many"']) {
    const given = directories();
    const { instance } = checkInstance(given);
    writeFileSync(
      join(given.dataDir, 'instance.json'),
      `{"id":"${instance}","version":${version}}`,
    );
    assert.throws(() => checkInstance(given), { code: 'data-directory-newer' });
  }
});

test('a free port is free, and a taken one is a problem with a sentence', async () => {
  const port = await freePort();
  const server = createServer().listen(port, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  await assert.rejects(checkPort(port), { code: 'port-taken', detail: /choose another port/ });
  await new Promise((resolve) => server.close(resolve));
  await checkPort(port);
  await checkPort(0);
});

test('the short directory is the same for the same data, and never one of a stranger', () => {
  const dataDir = fresh('short');
  const first = shortDirectory(dataDir, root);
  assert.equal(shortDirectory(dataDir, root), first);
  chmodSync(first, 0o777);
  const other = shortDirectory(dataDir, root);
  assert.notEqual(other, first);
  const deep = join(root, 'd'.repeat(90));
  mkdirSync(deep);
  const short = shortDirectory(dataDir, deep);
  rmSync(short, { recursive: true });
  assert.ok(short.length < 80);
});

const modeOf = (path: string) => statSync(path).mode & 0o7777;

test('a data directory that others could look into is closed, and one that many share is left', () => {
  const given = directories();
  openDataDirectory(given).release();
  const file = join(given.dataDir, 'development.json');
  mkdirSync(join(given.dataDir, 'logs'));
  writeFileSync(file, '{}');
  for (const path of [given.dataDir, join(given.dataDir, 'logs')]) chmodSync(path, 0o755);
  chmodSync(file, 0o644);
  const opened = openDataDirectory(given);
  opened.release();
  assert.equal(opened.tightened, 3);
  assert.deepEqual([given.dataDir, join(given.dataDir, 'logs'), file].map(modeOf), [
    ...[0o700, 0o700, 0o600],
  ]);
  const shared = directories();
  chmodSync(shared.dataDir, 0o1777);
  openDataDirectory(shared).release();
  assert.equal(modeOf(shared.dataDir), 0o1777);
});

test('a runtime directory is removed at the end, and that of a killed server at the next start', async () => {
  const temporary = fresh('tmp');
  const [mine, killed] = [fresh('mine'), fresh('killed')];
  const door = join(import.meta.dirname, 'short-directory.ts');
  const script = `import { openRuntimeDirectory } from '${door}';
    globalThis.held = openRuntimeDirectory('${killed}', '${temporary}');
    console.log(held.path);
    setInterval(() => {}, 1000);`;
  const other = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
  });
  const left = await new Promise<string>((resolve) => {
    other.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
  });
  const first = openRuntimeDirectory(mine, temporary);
  assert.ok(existsSync(left), 'that of a living server is left alone');
  const second = openRuntimeDirectory(mine, temporary);
  assert.notEqual(second.path, first.path, 'two that live never share one');
  first.remove();
  second.remove();
  other.kill('SIGKILL');
  await new Promise((resolve) => other.once('exit', resolve));
  mkdirSync(join(temporary, 'troth-0123456789'));
  const third = openRuntimeDirectory(mine, temporary);
  assert.equal(existsSync(left), false);
  assert.ok(
    existsSync(join(temporary, 'troth-0123456789')),
    'one that is being made is left alone',
  );
  assert.equal(modeOf(third.path), 0o711);
  third.remove();
  assert.equal(existsSync(third.path), false);
});

test('the user that PostgreSQL runs as has a name, and passes no folder that is closed to it', (t) => {
  if (process.getuid?.() !== 0) {
    assert.equal(findServiceUser(), undefined);
    return;
  }
  const user = findServiceUser();
  assert.ok(user && user.uid > 0);
  assert.equal(canReach(user, '/usr/bin'), true);
  const closed = fresh('closed');
  chmodSync(closed, 0o700);
  assert.equal(canReach(user, closed), false);
  const passwd = join(root, 'passwd');
  writeFileSync(passwd, 'root:x:0:0::/:/bin/sh\ntroth:x:990:991::/:/bin/false\n');
  assert.deepEqual(findServiceUser(passwd), { uid: 990, gid: 991 });
  t.diagnostic(`runs as ${spawnSync('id', ['-un', String(user.uid)]).stdout}`);
});

test('a child that is Node finds what its parent compiled, and no secret of the parent', () => {
  enableCompileCache(fresh('compiled'));
  const { NODE_COMPILE_CACHE, ...others } = nodeEnvironment({ HOME: '/nowhere' });
  assert.deepEqual(Object.keys(others).sort(), ['HOME', 'LC_ALL', 'PATH']);
  const program = "require('node:module').getCompileCacheDir()";
  const env = nodeEnvironment();
  const { stdout } = spawnSync(process.execPath, ['-p', program], { env });
  assert.equal(stdout.toString().trim(), getCompileCacheDir());
  assert.ok(NODE_COMPILE_CACHE);
});
