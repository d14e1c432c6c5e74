import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import type { Hono } from 'hono';
import { Problem } from '#base/problem';
import { openRightsDesk, type RightsDesk } from '#testing/rights-desk';
import { useWorld } from '#testing/world';
import { rightsRoutes } from './index.ts';

let desk: RightsDesk;
let routes: Hono;
const world = useWorld({
  async setUp(opened) {
    desk = await openRightsDesk(opened);
    const { db, policies, clock } = opened;
    const authenticate = async () => desk.asker().actor;
    routes = rightsRoutes({ rights: desk.rights, db, policies, clock, authenticate });
    routes.onError((thrown, c) => {
      if (!(thrown instanceof Problem)) throw thrown;
      return c.json(thrown.toJSON(), thrown.status as 400);
    });
  },
});
after(() => desk?.close());

async function ask(path: string, body?: unknown, headers: Record<string, string> = {}) {
  const answer = await routes.request(`/v1/t/${world.tenant}/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const read = (await answer.json()) as Record<string, unknown>;
  return { status: answer.status, body: read, headers: answer.headers };
}

const value = () => `person-${randomBytes(8).toString('hex')}`;

test('a demand is accepted, followed and certified, and no answer repeats the handle', async () => {
  const handle = { kind: 'user' as const, value: value() };
  await desk.meet(handle);
  const asked = await ask('erasures', { handle, reason: 'user_request' });
  assert.equal(asked.status, 202);
  const place = asked.headers.get('location') ?? '';
  assert.equal(place, `/v1/t/${world.tenant}/erasures/${String(asked.body['id'])}`);
  await desk.rights.walk();
  const path = place.split('/').slice(4).join('/');
  const seen = await ask(path);
  assert.deepEqual([seen.body['state'], seen.body['reason']], ['done', 'user_request']);
  const steps = (seen.body['timeline'] as { what: string }[]).map(({ what }) => what);
  assert.deepEqual(steps[0], 'requested');
  assert.deepEqual(steps.at(-1), 'certified');
  const certificate = await ask(`${path}/certificate`);
  assert.equal(certificate.status, 200);
  const list = await ask('erasures');
  const all = JSON.stringify([asked.body, seen.body, certificate.body, list.body]);
  assert.ok(!all.includes(handle.value));
  assert.equal((await ask(`${path}/undo`, {})).body['code'], 'erasure-not-undoable');
});

test('a demand that names a person with a slip finds them: white space around, another way to write ü', async () => {
  const sent = { kind: 'user' as const, value: `  ${value()}-J\u00fcrgen\n` };
  await desk.meet(sent);
  const asked = await ask('erasures', {
    handle: { kind: 'user', value: `${sent.value.trim().normalize('NFD')}\t` },
  });
  assert.equal(asked.status, 202);
  await desk.rights.walk();
  const seen = await ask(`erasures/${String(asked.body['id'])}`);
  assert.deepEqual([seen.body['state'], seen.body['people']], ['done', 1]);
  assert.equal(await desk.keys.whois(world.tenant, sent), 'erased');
  const other = { kind: 'user' as const, value: sent.value.toUpperCase() };
  assert.equal(await desk.keys.whois(world.tenant, other), 'unknown', 'case makes another id');
});

test('a demand that cannot be read is refused, and nobody is made known by it', async () => {
  const handle = { kind: 'user', value: value() };
  const broken: unknown[] = [
    {},
    '{',
    [],
    { handle, subject: 'a'.repeat(32) },
    { handle: { ...handle, kind: 'name' } },
    { handle: { ...handle, value: '' } },
    { handle: { ...handle, value: ' \n\t' } },
    { handle: { ...handle, value: 'x'.repeat(257) } },
    { handle, reason: 'Because I say so: <script>' },
    { handle, unknown: true },
    { subject: 'A'.repeat(32) },
    { subject: 'short' },
    // Whom every row without a person belongs to.
    { subject: '0'.repeat(32) },
  ];
  for (const body of broken) {
    const { status, body: said } = await ask('erasures', body);
    assert.deepEqual([status, said['code']], [422, 'erasure-body-broken'], JSON.stringify(body));
  }
  const tooLong = await ask('erasures', { handle }, { 'idempotency-key': 'k'.repeat(256) });
  assert.equal(tooLong.status, 422);
  assert.equal(await desk.keys.whois(world.tenant, handle as never), 'unknown');
});

test('an id that is none, and one of nobody, are both not found', async () => {
  for (const id of ['1', "x' or '1'='1", '00000000-0000-4000-8000-000000000000']) {
    const answer = await ask(`erasures/${encodeURIComponent(id)}`);
    assert.deepEqual([answer.status, answer.body['code']], [404, 'erasure-unknown']);
  }
  const lift = await ask('holds/not-an-id/lift', {});
  assert.equal(lift.body['code'], 'hold-unknown');
});

test('an opaque id without a key is erased as well: its rows may have come with a backup', async () => {
  const subject = randomBytes(16).toString('hex');
  const asked = await ask('erasures', { subject });
  assert.equal(asked.status, 202);
  await desk.rights.walk();
  const seen = await ask(`erasures/${String(asked.body['id'])}`);
  assert.deepEqual([seen.body['state'], seen.body['people']], ['done', 1]);
});
