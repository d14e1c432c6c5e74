/**
 * A person who came through an unmodified Segment client is erased: nothing of what the client sent
 * is in any file afterwards, what is planted is found by the same look, and anyone can verify the
 * certificate.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { verifyDocument } from '#base/signed-document';
import { asOperator, type RunningServer, startRunning } from '#testing/running';
import { deliver } from '#testing/segment-client';

let server: RunningServer;
before(async () => {
  server = await startRunning();
});
after(() => server?.stop());

type Json = Record<string, unknown>;
type Erasure = Json & { id: string; state: string; trouble: string | null; isNew?: boolean };
type Certificate = {
  found: string;
  complete: boolean;
  people: number;
  subject: string | null;
  stores: { store: string; place: string; counted: number; deleted: number; remains: number }[];
  search: { control: string; places: { store: string; found: number; searched: boolean }[] };
};

async function ask(
  method: string,
  path: string,
  { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<{ status: number; body: Json }> {
  const answer = await asOperator(server, path, { method, body, headers });
  return { status: answer.status, body: (await answer.json()) as Json };
}

const command = (userId: string, marker: string) => ({
  userId,
  event: 'agent_command',
  properties: { tool: `tool-${marker}`, outcome: 'done', arguments: { note: `note-${marker}` } },
});

async function rowsOf(type: string): Promise<number> {
  const { body } = await ask('GET', '/v1/t/clanker/data-map');
  const types = body['types'] as { id: string; rows: number | null }[];
  return types.find(({ id }) => id === type)?.rows ?? 0;
}

async function until(what: string, is: () => Promise<boolean>): Promise<void> {
  for (let end = Date.now() + 30_000; Date.now() < end; await sleep(100)) if (await is()) return;
  assert.fail(`not within 30 s: ${what}`);
}

async function finished(id: string): Promise<Erasure> {
  let seen: Erasure | undefined;
  await until('the erasure is done', async () => {
    seen = (await ask('GET', `/v1/t/clanker/erasures/${id}`)).body as Erasure;
    return seen.state === 'done';
  }).catch((error: unknown) => {
    throw new Error(`${JSON.stringify(seen)} ${String(error)} ${server.log()}`);
  });
  return seen as Erasure;
}

async function certificateOf(id: string): Promise<{ signed: unknown; says: Certificate }> {
  const { status, body } = await ask('GET', `/v1/t/clanker/erasures/${id}/certificate`);
  assert.equal(status, 200);
  return { signed: body, says: body['document'] as Certificate };
}

/** As `grep -r` over all of the server's directories. */
function filesWith(text: string): string[] {
  return globSync('**/*', { cwd: server.folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => {
      try {
        return readFileSync(file).includes(text);
      } catch {
        return false;
      }
    });
}

test('a person who came through a Segment client is erased, and nobody can find them again', async () => {
  const marker = randomBytes(8).toString('hex');
  const user = `ada-${marker}@example.org`;
  await deliver(server, 'clanker', (client) => {
    client.identify({ userId: user, anonymousId: `device-${marker}`, traits: {} });
    for (let n = 0; n < 20; n++) client.track(command(user, marker));
    for (let n = 0; n < 5; n++) client.track(command(`bob-${marker}`, 'somebody-else'));
  });
  await until('the rows are there', async () => (await rowsOf('agent-commands')) >= 25);

  const asked = await ask('POST', '/v1/t/clanker/erasures', {
    body: { handle: { kind: 'user', value: user } },
  });
  assert.equal(asked.status, 202);
  const { id } = asked.body as Erasure;
  const done = await finished(id);
  assert.equal(done.trouble, null);

  const { signed, says } = await certificateOf(id);
  const key = await fetch(new URL('/v1/public-key', server.url)).then((answer) => answer.text());
  assert.ok(key.length > 0);
  const verified = verifyDocument(JSON.parse(JSON.stringify(signed)));
  assert.ok(!('failure' in verified) && verified.kind === 'erasure-certificate');
  const table = says.stores.find(({ place }) => place === 'tenant_clanker.agent_commands');
  assert.deepEqual([table?.counted, table?.deleted, table?.remains], [20, 20, 0]);
  assert.ok(
    says.search.places.every(({ searched, found }) => searched && found === 0),
    JSON.stringify(says.search, null, 1),
  );
  assert.equal(says.complete, true);
  await until('only the others are counted', async () => (await rowsOf('agent-commands')) === 5);

  for (const sent of [user, `device-${marker}`, `tool-${marker}`, `note-${marker}`]) {
    assert.deepEqual(filesWith(sent), [], `${sent} was sent, and is in a file`);
  }
  assert.ok(filesWith(says.search.control).length >= 4, 'the same look finds the control');
});

test('troth verify takes the certificate in another folder, with the file and the public key', async () => {
  const asked = await ask('POST', '/v1/t/clanker/erasures', {
    body: { handle: { kind: 'user', value: 'nobody-of-this-name' } },
  });
  await finished((asked.body as Erasure).id);
  const { signed } = await certificateOf((asked.body as Erasure).id);
  const folder = mkdtempSync(join(tmpdir(), 'troth-elsewhere-'));
  const [file, key] = [join(folder, 'certificate.json'), join(folder, 'troth.pub')];
  copyFileSync(join(server.dataDir, 'troth.pub'), key);
  const verify = (content: unknown) => {
    writeFileSync(file, JSON.stringify(content));
    const args = ['server/main.ts', 'verify', file, '--key', key];
    const env = { ...process.env, TROTH_DATA_DIR: join(folder, 'none'), NODE_NO_WARNINGS: '1' };
    return spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  };
  const good = verify(signed);
  assert.equal(good.status, 0, good.stdout + good.stderr);
  assert.match(good.stdout, /good[\s\S]*Nothing is held under this name/);
  const changed = structuredClone(signed) as { document: { people: number } };
  changed.document.people = 1;
  const bad = verify(changed);
  assert.equal(bad.status, 1);
  assert.match(bad.stdout + bad.stderr, /changed after it was signed/);
  writeFileSync(file, JSON.stringify(signed).replace('"people":', '"people":9,"people":'));
  const args = ['server/main.ts', 'verify', file, '--key', key];
  const twice = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.match(twice.stdout + twice.stderr, /a name stands twice/);
  rmSync(folder, { recursive: true, force: true });
});

test('events of an erased person that come late, again, ahead of time or under an alias are dropped', async () => {
  const user = `eve-${randomBytes(8).toString('hex')}`;
  const device = `device-of-${user}`;
  const event = (more: object) => ({
    type: 'track',
    event: 'agent_command',
    properties: { tool: 'shell', outcome: 'done' },
    ...more,
  });
  const send = async (batch: object[]) => {
    const answer = await ask('POST', '/v1/t/clanker/batch', {
      body: { batch },
      headers: { authorization: `Bearer ${server.writeKeys['clanker']}` },
    });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body as { accepted: number; dropped?: Record<string, number> };
  };
  const known = event({ userId: user, messageId: `${user}-1` });
  await send([{ type: 'identify', userId: user, anonymousId: device }, known]);
  await send([event({ anonymousId: device })]);
  const { id } = (
    await ask('POST', '/v1/t/clanker/erasures', { body: { handle: { kind: 'user', value: user } } })
  ).body as Erasure;

  const late = [
    event({ userId: user }),
    event({ userId: user, timestamp: '2020-01-01T00:00:00Z' }),
    event({ userId: user, timestamp: new Date(Date.now() + 86_400_000).toISOString() }),
  ];
  const { accepted, dropped } = await send(late);
  assert.deepEqual([accepted, dropped?.['person-erased']], [0, 3], JSON.stringify(dropped));
  // Without a name it is nobody's: it is kept without a person.
  assert.equal((await send([event({ anonymousId: device })])).accepted, 1);
  // The same message again is answered as before, and not stored: the certificate is complete.
  await send([known]);
  await send([{ type: 'alias', userId: `new-${user}`, previousId: user }]);
  await finished(id);
  const { says } = await certificateOf(id);
  assert.equal(says.complete, true);
  assert.deepEqual(filesWith(user), []);
});

test('events that keep coming while their person is erased are nowhere afterwards', async () => {
  const user = `storm-${randomBytes(8).toString('hex')}`;
  let isOver = false;
  let sent = 0;
  const storm = async () => {
    while (!isOver) {
      const batch = Array.from({ length: 20 }, () => ({
        type: 'track',
        event: 'agent_command',
        userId: user,
        messageId: `${user}-${sent++}`,
        properties: { tool: 'shell', outcome: 'done', arguments: { note: user } },
      }));
      const { status } = await ask('POST', '/v1/t/clanker/batch', {
        body: { batch },
        headers: { authorization: `Bearer ${server.writeKeys['clanker']}` },
      });
      assert.ok([200, 429].includes(status));
    }
  };
  const storms = [storm(), storm(), storm(), storm()];
  await sleep(2_000);
  const { body } = await ask('POST', '/v1/t/clanker/erasures', {
    body: { handle: { kind: 'user', value: user } },
  });
  await finished((body as Erasure).id);
  isOver = true;
  await Promise.all(storms);
  const { says } = await certificateOf((body as Erasure).id);
  assert.equal(says.complete, true);

  // Whatever was on its way has arrived by now: another look, by the number alone.
  await sleep(3_000);
  const again = await ask('POST', '/v1/t/clanker/erasures', { body: { subject: says.subject } });
  await finished((again.body as Erasure).id);
  const later = await certificateOf((again.body as Erasure).id);
  const counted = later.says.stores.filter(({ place }) => place !== 'dropped-on-the-way');
  assert.deepEqual(
    counted.filter((one) => one.counted > 0),
    [],
  );
  assert.deepEqual(filesWith(user), []);
});
