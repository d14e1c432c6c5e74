/**
 * A service that nobody who wrote Troth has heard of: its policy comes from `troth init`, its
 * events from an unmodified Segment client. It runs, is proven and forgets, without any change of
 * code.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Analytics } from '@segment/analytics-node';
import { noChromium, walkConsole } from '#testing/console-walk';
import { asOperator, type RunningServer, startRunning } from '#testing/running';

const MAIN = join(import.meta.dirname, '..', 'main.ts');
/** Letters only: digits in a row would be taken for a telephone number. */
const marker = Array.from(randomBytes(16), (byte) => String.fromCharCode(97 + (byte % 26))).join(
  '',
);
const ADA = { user: `ada-${marker}`, device: `device-${marker}` };
/** A service that knows nobody by name loses an id that is one. */
const EVE = `eve-${marker}@example.org`;

type Finding = { tenant: string; promises: string[]; state: string; saw: string };
type Promised = { id: string; state: string; reason: string | null };
type Drop = { reason: string; events: number };
type Counted = { id: string; rows: number | null };
type Place = { store: string; searched: boolean; found: number };
type Certificate = { complete: boolean; search: { control: string; places: Place[] } };

/** Runs a program and says how it ended. */
function run(program: string, words: readonly string[], env: Record<string, string> = {}) {
  return new Promise<{ status: number; said: string }>((resolve) => {
    execFile(program, words, { env: { ...process.env, ...env } }, (error, out, complaints) =>
      resolve({ status: Number(error?.code ?? 0), said: out + complaints }),
    );
  });
}

const troth = (words: readonly string[], env: Record<string, string>) =>
  run(process.execPath, [MAIN, ...words], env);

async function init(): Promise<Record<string, string>> {
  const env = {
    TROTH_POLICIES_DIR: join(folder, 'policies'),
    TROTH_DATA_DIR: join(folder, 'data'),
  };
  const who = ['--name', 'Acme Ltd', '--email', 'privacy@acme.example'];
  for (const [service, template] of [
    ['acme', 'agents'],
    ['acme-site', 'web'],
  ] as const) {
    const words = ['init', '--service', service, '--template', template, ...who];
    const { status, said } = await troth(words, env);
    assert.equal(status, 0, said);
  }
  const documents = ['acme.yaml', 'acme-site.yaml'].map((file) => join(folder, 'policies', file));
  const linted = await troth(['lint', ...documents], env);
  assert.equal(linted.status, 0, linted.said);
  return env;
}

let server: RunningServer;
const folder = mkdtempSync(join(tmpdir(), 'troth-6-'));
const elsewhere = mkdtempSync(join(tmpdir(), 'troth-elsewhere-'));
before(async () => {
  server = await startRunning({ folder, env: await init() });
});
after(async () => {
  await server?.stop();
  for (const made of [folder, elsewhere]) rmSync(made, { recursive: true, force: true });
});

async function deliver(send: (client: Analytics) => void): Promise<void> {
  const failures: unknown[] = [];
  const given = { writeKey: server.writeKeys['acme'] ?? '', host: server.url, maxRetries: 0 };
  const client = new Analytics({ ...given, path: '/v1/batch' });
  client.on('error', (error) => failures.push(error));
  send(client);
  await client.closeAndFlush();
  assert.deepEqual(failures, []);
}

const commandOf = (who: { userId: string } | { anonymousId: string }, text: string) => ({
  ...who,
  event: 'agent_command',
  properties: { tool: 'shell', outcome: 'done', arguments: { note: text }, undeclared: 'x' },
});

/** As the operator, anywhere on the server. */
async function ask<Body>(method: string, path: string, body?: object): Promise<Body> {
  const answer = await asOperator(server, path, { method, body });
  const text = await answer.text();
  assert.ok(answer.ok, `${path}: ${text}`);
  return JSON.parse(text) as Body;
}

/** Waits until so many commands are held: no more, and no fewer. */
async function counted(wanted: number): Promise<void> {
  for (const end = Date.now() + 20_000; ; await sleep(200)) {
    const { types } = await ask<{ types: Counted[] }>('GET', '/v1/t/acme/data-map');
    const rows = types.find(({ id }) => id === 'agent-commands')?.rows ?? 0;
    if (rows === wanted) return;
    assert.ok(Date.now() < end, `${rows} of ${wanted} rows`);
  }
}

/** The files that hold a text, by a program that shares nothing with the server. */
async function grep(text: string): Promise<string[]> {
  const { status, said } = await run('grep', ['-rlaF', '--', text, folder]);
  assert.ok(status < 2 || said.includes('No such file'), said);
  return said.split('\n').filter((line) => line.startsWith(folder));
}

test('it takes events of a client that knows nothing of Troth, and keeps what it declared', async () => {
  await deliver((client) => {
    client.identify({ userId: ADA.user, anonymousId: ADA.device, traits: {} });
    for (let n = 0; n < 8; n++) client.track(commandOf({ userId: ADA.user }, `note-${marker}`));
    for (let n = 0; n < 4; n++) client.track(commandOf({ anonymousId: ADA.device }, `d-${marker}`));
    for (let n = 0; n < 5; n++) client.track(commandOf({ userId: EVE }, `e-${marker}`));
  });
  await counted(17);
  const { drops } = await ask<{ drops: Drop[] }>('GET', '/v1/t/acme/pipeline');
  assert.equal(drops.find(({ reason }) => reason === 'undeclared-field')?.events, 17);
});

test('its promises are kept or say why not, and none is broken', async () => {
  const answer = await asOperator(server, '/v1/operator/prove', { body: {} });
  const lines = (await answer.text()).split('\n').filter(Boolean);
  const findings = lines.map((line) => JSON.parse(line) as Finding);
  const wrong = findings.filter(({ state, saw }) => state === 'broken' || saw === '');
  assert.deepEqual(
    wrong.map(({ tenant, promises, state, saw }) => `${tenant} ${promises} ${state}: ${saw}`),
    [],
  );
  for (const service of ['acme', 'acme-site']) {
    const { promises } = await ask<{ promises: Promised[] }>('GET', `/v1/t/${service}/promises`);
    assert.ok(promises.filter(({ state }) => state === 'kept').length >= 8, service);
    for (const { id, state, reason } of promises) {
      assert.ok(state === 'kept' || (state === 'gap' && reason), `${id}: ${state}, ${reason}`);
    }
  }
});

test('its page and its console can be read in a browser', { skip: noChromium }, async () => {
  await counted(17);
  await walkConsole(
    { server, tenant: 'acme' },
    {
      promises: 14,
      open: ['AC-01', 'drop every other field'],
      rows: { 'Agent commands': 17 },
      drops: ['Fields cut: the policy does not declare them'],
      flawless: true,
    },
  );
});

test('a person of it is erased, and the certificate is verified by whoever has it and the key', async () => {
  const handle = { kind: 'user', value: ADA.user };
  const { id } = await ask<{ id: string }>('POST', '/v1/t/acme/erasures', { handle });
  for (const end = Date.now() + 60_000; ; await sleep(200)) {
    const seen = await ask<{ state: string }>('GET', `/v1/t/acme/erasures/${id}`);
    if (seen.state === 'done') break;
    assert.ok(Date.now() < end, JSON.stringify(seen));
  }
  const signed = await ask<{ document: Certificate }>(
    'GET',
    `/v1/t/acme/erasures/${id}/certificate`,
  );
  const { complete, search } = signed.document;
  assert.equal(complete, true, JSON.stringify(search));
  await counted(9);

  writeFileSync(join(elsewhere, 'certificate.json'), JSON.stringify(signed));
  copyFileSync(join(server.dataDir, 'troth.pub'), join(elsewhere, 'troth.pub'));
  const [file, key] = [join(elsewhere, 'certificate.json'), join(elsewhere, 'troth.pub')];
  const verify = () =>
    troth(['verify', file, '--key', key], { TROTH_DATA_DIR: join(elsewhere, 'nothing') });
  const good = await verify();
  assert.equal(good.status, 0, good.said);
  const changed = JSON.stringify(signed).replace('"complete":true', '"complete":false');
  writeFileSync(file, changed);
  assert.equal((await verify()).status, 1, 'a changed certificate is no certificate');

  for (const text of [ADA.user, ADA.device, EVE, `note-${marker}`, `d-${marker}`, `e-${marker}`]) {
    assert.deepEqual(await grep(text), [], `${text} was sent, and is in a file`);
  }
  assert.ok((await grep(search.control)).length >= 4, 'the same look finds the control');
});
