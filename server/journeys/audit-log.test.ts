/** The audit log from outside: a running server, its routes, an export, and the command line. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  consistencyProof,
  leafHash,
  perfectRoot,
  verifyConsistency,
  verifyInclusion,
} from '#base/merkle';
import { openCheckpoint, parseVkey } from '#base/signed-note';
import { until } from '#testing/faults';
import { asOperator, type RunningServer, startRunning } from '#testing/running';
import { runCommand } from '../edges/cli/index.ts';

let server: RunningServer;
const env = { TROTH_PROVE_EVERY: 'off' };
const elsewhere = mkdtempSync(join(tmpdir(), 'audit-elsewhere-'));
before(async () => {
  server = await startRunning({ folder: join(elsewhere, 'server'), env });
});
after(async () => {
  await server.stop();
  rmSync(elsewhere, { recursive: true, force: true });
});

const base = '/v1/t/clanker/audit';
const ask = (path: string, operator = true) =>
  operator ? asOperator(server, path) : fetch(new URL(path, server.url));
const publicKey = () =>
  parseVkey(readFileSync(join(server.dataDir, 'troth.pub'), 'utf8'))?.publicKey ?? Buffer.of();
const checkpoint = async () => {
  const found = openCheckpoint(await (await ask(`${base}/checkpoint`, false)).text(), publicKey());
  assert.ok(found, 'the checkpoint is signed by the published key');
  return found;
};

/** As typed on a machine that has the repository, and nothing of this installation. */
async function troth(words: string[], dataDir = join(elsewhere, 'nothing')) {
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  const nowhere = { root: elsewhere, policiesDir: elsewhere, today: '2026-01-01', ask: undefined };
  const keyring = { dir: elsewhere };
  const input = { keyring, readInput: async () => '' };
  const given = { ...nowhere, ...input, dataDir, print: say, complain: say, colour: false };
  const status = await runCommand(words, given);
  return { status, said: said.join('\n') };
}

const healthy = () =>
  until('all logs are well, and nothing waits', 5_000, async () => {
    const { failures, waiting } = (await (await ask('/v1/operator/audit/health')).json()) as {
      failures: unknown[];
      waiting: number;
    };
    assert.deepEqual(failures, []);
    return waiting === 0;
  });

/** Something that leaves an entry. */
async function actOnce(): Promise<void> {
  const answer = await asOperator(server, '/v1/operator/keys/recovery-kit', { body: {} });
  assert.equal(answer.status, 200);
  await healthy();
}

test('checkpoint and hashes are for everyone, entries for the operator, each proven', async () => {
  const { size, root } = await checkpoint();
  assert.ok(size > 0);
  const tile = await ask(`${base}/tile/0/000.p/${size}`, false);
  assert.equal(tile.status, 200);
  assert.equal((await tile.arrayBuffer()).byteLength, size * 32);
  assert.equal((await ask(`${base}/tile/0/000.p/${size + 1}`, false)).status, 404);
  assert.equal((await ask(`${base}/tile/0/../../x`, false)).status, 404);
  for (const path of [`/tile/entries/000.p/${size}`, '/entries', '/export']) {
    assert.equal((await ask(base + path, false)).status, 401, path);
  }
  const page = (await (await ask(`${base}/entries?limit=200`)).json()) as {
    size: number;
    entries: { index: number; leafHash: string; proof: string[]; leaf: string }[];
  };
  assert.equal(page.entries.length, size);
  for (const { index, leaf, proof } of page.entries) {
    const path = proof.map((hash) => Buffer.from(hash, 'base64'));
    const hash = leafHash(Buffer.from(leaf));
    assert.ok(verifyInclusion({ index, size, root, leaf: hash, proof: path }));
  }
  assert.equal((await ask(`${base}/entries?after=x`)).status, 422);
  const wrong = (await (await ask(`${base}/entries?limit=-7`)).json()) as { code: string };
  assert.equal(wrong.code, 'query-not-understood');
  assert.equal((await ask('/v1/t/nobody/audit/checkpoint', false)).status, 404);
  await healthy();
});

test('an export is verified elsewhere with the file and the public key, and extends what was', async () => {
  const old = join(elsewhere, 'old.checkpoint');
  writeFileSync(old, await (await ask(`${base}/checkpoint`, false)).text());
  await actOnce();
  const key = readFileSync(join(server.dataDir, 'troth.pub'), 'utf8').trim();
  const [file, folder] = [join(elsewhere, 'log.ndjson'), join(elsewhere, 'log/')];
  for (const out of [file, folder]) {
    const words = ['audit', 'export', '--tenant', 'clanker', '--out', out];
    const exported = await troth(words, server.dataDir);
    assert.equal(exported.status, 0, exported.said);
    const verified = await troth(['verify', out, '--key', key, '--since', old]);
    assert.equal(verified.status, 0, verified.said);
    assert.match(verified.said, /each in its place[\s\S]*extends the earlier checkpoint/);
    assert.equal((await troth(words, server.dataDir)).status, 1, 'nothing is written over');
  }
  const unknown = await troth(['verify', file]);
  assert.equal(unknown.status, 1);
  assert.match(unknown.said, /whose key that is was not checked/);
  const other = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
  for (const out of [file, folder]) {
    const { said } = await troth(['verify', out, '--key', other]);
    assert.match(said, /signed by another key/);
  }

  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const edits: Record<string, string[]> = {
    changed: lines.with(2, lines[2]?.replace('"kind":"', '"kind":"x') ?? ''),
    dropped: lines.toSpliced(3, 1),
    added: [...lines, '{}'],
    moved: lines.with(1, lines[2] ?? '').with(2, lines[1] ?? ''),
    blanked: lines.with(1, `#${leafHash(Buffer.from(lines[1] ?? '')).toString('base64')}`),
    headless: lines.slice(1),
    forged: lines.with(0, lines[0]?.replace('clanker', 'magenta') ?? ''),
  };
  const edited = join(elsewhere, 'edited.ndjson');
  for (const [name, text] of Object.entries(edits)) {
    writeFileSync(edited, `${text.join('\n')}\n`);
    const { status, said } = await troth(['verify', edited, '--key', key]);
    assert.equal(status, 1, `${name}: ${said}`);
  }
});

test('who watches the checkpoints can follow the log from one to the next', async () => {
  const first = await checkpoint();
  await actOnce();
  const second = await checkpoint();
  assert.ok(second.size > first.size);
  const tile = await ask(`${base}/tile/0/000.p/${second.size}`, false);
  const bytes = Buffer.from(await tile.arrayBuffer());
  const leaves = Array.from({ length: second.size }, (_, at) =>
    bytes.subarray(at * 32, (at + 1) * 32),
  );
  const nodeAt = (level: number, index: number) =>
    perfectRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));
  const proof = consistencyProof(nodeAt, first.size, second.size);
  assert.ok(verifyConsistency({ first, second, proof }));
});

test('after kill -9 and a restart the log goes on where it was', async () => {
  const before = await checkpoint();
  await server.kill();
  server = await startRunning({ folder: server.folder, env });
  const { size } = await checkpoint();
  assert.ok(size >= before.size);
  await actOnce();
  assert.ok((await checkpoint()).size > size);
  await healthy();
});

test('a server whose log was damaged starts, takes events, refuses acts that matter, and heals', async () => {
  const { folder, writeKeys } = server;
  await server.stop();
  const log = join(folder, 'keys-audit', 'clanker');
  const bundles = join(log, 'tile', 'entries', '000.p');
  const [name = ''] = readdirSync(bundles);
  const good = readFileSync(join(bundles, name));
  const bad = Buffer.from(good);
  bad[40] = (bad[40] ?? 0) ^ 1;
  writeFileSync(join(bundles, name), bad);

  server = await startRunning({ folder, env });
  for (const path of ['/v1/operator/keys/rotate', '/v1/operator/keys/recovery-kit']) {
    const refused = await asOperator(server, path, { body: {} });
    assert.equal(refused.status, 503, path);
    assert.equal(((await refused.json()) as { code: string }).code, 'audit-log-damaged');
  }
  const batch = [{ type: 'track', messageId: 'a-1', userId: 'x', event: 'agent_command' }];
  const sent = await fetch(new URL('/v1/t/clanker/batch', server.url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${writeKeys['clanker']}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ batch }),
  });
  assert.equal(sent.status, 200);
  const health = await troth(['audit', 'health'], server.dataDir);
  assert.equal(health.status, 1);
  assert.match(health.said, /clanker: (entry|tile)-damaged at/);
  assert.match((await troth(['doctor'], server.dataDir)).said, /the audit log of clanker/);

  const blind = await troth(['prove', '--tenant', 'clanker'], server.dataDir);
  assert.equal(blind.status, 1, 'the proofs of a service that cannot be looked at');
  assert.match(blind.said, /gap +clanker .*audit-log-damaged/);
  assert.doesNotMatch(blind.said, /● kept/);
  assert.match(blind.said, /nothing could be looked at/);
  const other = await troth(['prove', '--tenant', 'magenta'], server.dataDir);
  assert.match(other.said, /kept +magenta/);
  assert.doesNotMatch(other.said, /audit-log-damaged/);

  writeFileSync(join(bundles, name), good);
  await until('it is looked at again', 40_000, async () => {
    const { failures } = (await (await ask('/v1/operator/audit/health')).json()) as {
      failures: unknown[];
    };
    return failures.length === 0;
  });
  await actOnce();
});
