import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useProven } from '#testing/proven';

const proven = useProven();

test('a key of an application opens what its scopes say, and the proof says so', async () => {
  await proven.keeps('access.key-scopes');
  const left = await proven.sql`
    select id from troth.write_keys where application like 'canary-%'`;
  assert.equal(left.length, 0);
});

test('the operator issues, lists and revokes keys; what is malformed is refused', async () => {
  const { url, operatorToken } = proven.server;
  const ask = (path: string, method: string, body?: object) =>
    fetch(new URL(`/v1/operator/t/magenta/write-keys${path}`, url), {
      method,
      headers: { cookie: `troth_operator=${operatorToken}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  const wanted = { application: 'checkout', scopes: ['ingest'], origins: ['https://shop.example'] };
  const issued = (await (await ask('', 'POST', wanted)).json()) as { id: string; key: string };
  assert.match(issued.key, new RegExp(`^tk_${issued.id}_`));
  const listed = await (await ask('', 'GET')).text();
  assert.ok(listed.includes(issued.id));
  assert.ok(!listed.includes(issued.key.slice(16)));
  assert.equal((await ask(`/${issued.id}`, 'DELETE')).status, 204);
  const again = await ask(`/${issued.id}`, 'DELETE');
  assert.equal(((await again.json()) as { code: string }).code, 'write-key-unknown');
  for (const broken of [
    { ...wanted, application: 'ada@example.org' },
    { ...wanted, scopes: [] },
    { ...wanted, scopes: ['everything'] },
    { ...wanted, origins: ['https://shop.example/path'] },
    { ...wanted, more: 1 },
  ]) {
    assert.equal((await ask('', 'POST', broken)).status, 422, JSON.stringify(broken));
  }
  const stranger = await fetch(new URL('/v1/operator/t/magenta/write-keys', url));
  assert.equal(stranger.status, 401);
});

test('a door that does not look at scopes is found', async () => {
  await proven.restart([
    ['domains/ingest/write-keys.ts', 'if (!key.scopes.includes(scope)) {', 'if (!scope) {'],
  ]);
  await proven.breaks('access.key-scopes');
});

test('a single door that does not look at scopes is found, whichever it is', async () => {
  const anyKey = '{ ...key, scopes: ["ingest", "consent", "erase"] }';
  // Withdrawals, one of four doors of consent; `status` goes on refusing.
  await proven.restart([
    [
      'domain-wiring.ts',
      "admitKey(key, { scope: 'consent', tenant,",
      `admitKey(action === 'consent.withdraw' ? ${anyKey} : key, { scope: 'consent', tenant,`,
    ],
  ]);
  await proven.breaks('access.key-scopes');
  // One of the short addresses of events.
  await proven.restart([
    [
      'domains/ingest/http.ts',
      "admitKey(key, { scope: 'ingest', tenant: call.path.tenant, origin });",
      `admitKey(
        call.path.kind === 'group' ? ${anyKey} : key,
        { scope: 'ingest', tenant: call.path.tenant, origin },
      );`,
    ],
  ]);
  await proven.breaks('access.key-scopes');
  // Demands are guarded, and what became of them is not.
  await proven.restart([
    [
      'rights-wiring.ts',
      "admitKey(key, { scope: 'erase', tenant,",
      `admitKey(c.req.method === 'GET' ? ${anyKey} : key, { scope: 'erase', tenant,`,
    ],
  ]);
  await proven.breaks('access.key-scopes');
});

test('a door of operators that a write key opens is found', async () => {
  await proven.restart([
    [
      'core/policy/actions.ts',
      "'hold.place': ['operator',",
      "'hold.place': ['operator', 'write-key',",
    ],
  ]);
  await proven.breaks('access.key-scopes');
});

test('a key that goes on opening after it was revoked is found', async () => {
  await proven.restart([
    [
      'domains/ingest/write-keys.ts',
      ' || key.revoked) throw unknownKey();',
      ') throw unknownKey();',
    ],
  ]);
  await proven.breaks('access.key-scopes');
});
