/** What a server leaves on a disk and in memory: closed to others, gone when it is. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { canReach, findServiceUser } from '#platform/runtime';
import { FaultLoad, partOf } from '#testing/faults';
import { type RunningServer, startRunning } from '#testing/running';

const folder = mkdtempSync(join(tmpdir(), 'troth-ground-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Files and directories that anybody but their owner could look into. */
const openTo = (others: number, root: string): string[] =>
  ['.', ...globSync('**/*', { cwd: root })]
    .map((name) => join(root, name))
    .filter((path) => {
      const seen = lstatSync(path, { throwIfNoEntry: false });
      return seen && !seen.isSymbolicLink() && (seen.mode & others) !== 0;
    });

test('all that a server makes is for its owner alone, and a directory left open is closed again', async () => {
  const home = join(folder, 'modes');
  const first = await startRunning({ folder: home });
  const load = new FaultLoad(first);
  await load.deliver();
  await sleep(2_000);
  const { dataDir, keyringDir } = first;
  assert.deepEqual(
    [dataDir, keyringDir].flatMap((root) => openTo(0o077, root)),
    [],
  );
  await first.stop();
  for (const path of [dataDir, join(dataDir, 'log')]) chmodSync(path, 0o755);
  chmodSync(join(dataDir, 'development.json'), 0o644);
  const second = await startRunning({ folder: home });
  await second.stop();
  assert.deepEqual(
    [dataDir, keyringDir].flatMap((root) => openTo(0o077, root)),
    [],
  );
  const log = readFileSync(join(dataDir, 'log', 'troth.jsonl'), 'utf8');
  assert.match(log, /"event":"directory\.tightened","entries":3/);
});

const LONG = 'a folder with a name that is long, a quote’s mark and an ü '.repeat(2).trim();

for (const kind of ['root', 'an ordinary user'] as const) {
  test(`${kind} starts a server in a folder that is closed to others and deep below long names`, async (t) => {
    const user = kind === 'root' ? undefined : findServiceUser();
    const here = import.meta.dirname;
    if (process.getuid?.() !== 0 && kind === 'root') return t.skip('this is no root');
    if (user && !canReach(user, here)) return t.skip('the checkout is closed to that user');
    const top = mkdtempSync(join(tmpdir(), 'troth-closed-'));
    const home = join(top, LONG, LONG);
    mkdirSync(home, { recursive: true, mode: 0o700 });
    for (const path of user ? [top, join(top, LONG), home] : []) {
      chownSync(path, user?.uid ?? 0, user?.gid ?? 0);
    }
    const server = await startRunning({ folder: home, ...(user && { user }) });
    const load = new FaultLoad(server);
    await load.deliver();
    await server.stop();
    rmSync(top, { recursive: true, force: true });
  });
}

/** The short directory that a running server's sockets lie in. */
function runtimeDirectoryOf(server: RunningServer): string {
  const words = readFileSync(`/proc/${partOf(server, 'postgres')}/cmdline`, 'utf8');
  const [, path = ''] = /unix_socket_directories=(\/tmp\/troth-\w+)\/p/.exec(words) ?? [];
  assert.ok(existsSync(path));
  return path;
}

test('the runtime directory goes with the server, and that of a killed one with the next start', async () => {
  const killed = await startRunning({ folder: join(folder, 'killed') });
  const left = runtimeDirectoryOf(killed);
  await killed.kill();
  await sleep(500);
  const next = await startRunning({ folder: join(folder, 'next') });
  assert.equal(existsSync(left), false);
  const own = runtimeDirectoryOf(next);
  await next.stop();
  assert.equal(existsSync(own), false);
});

test('an idle server is still the same after more than a minute: no engine ended by itself', {
  timeout: 120_000,
}, async () => {
  const server = await startRunning({ folder: join(folder, 'idle') });
  try {
    const parts = ['postgres', 'clickhouse', 'keeper'] as const;
    const before = parts.map((part) => partOf(server, part));
    await sleep(65_000);
    assert.deepEqual(
      parts.map((part) => partOf(server, part)),
      before,
    );
    assert.equal((await fetch(new URL('/readyz', server.url))).status, 200);
    const log = readFileSync(join(server.dataDir, 'log', 'troth.jsonl'), 'utf8');
    assert.doesNotMatch(log, /child\.died/);
  } finally {
    await server.stop();
  }
});
