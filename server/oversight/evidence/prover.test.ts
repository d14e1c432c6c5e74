import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Look } from '#core/looking';
import { broken, kept, type Proof, type Seen, saw } from '#core/promises';
import { useWorld } from '#testing/world';
import type { Ground } from './ground.ts';
import type { Outlook } from './outlook.ts';
import { type Finding, prove, proveOne, type Unit } from './prover.ts';
import { proveInProcess } from './prover-process.ts';

const world = useWorld();
const folder = mkdtempSync(join(tmpdir(), 'troth-prover-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const outlook: Outlook = {
  url: 'http://localhost:1',
  secureUrl: 'https://localhost:1',
  authority: '',
  operatorToken: '',
  postgresUrl: '',
  clickhouseUrl: '',
  keeperSocket: '',
  dataDir: folder,
  keyringDir: folder,
  writeKeys: {},
  spareKeys: {},
  pageKeys: {},
};

function unit(look: (at: Look) => Promise<Seen>, promise = 'SA-01'): Unit {
  const proof: Proof = {
    control: 'configuration',
    strength: 'api',
    blindTo: 'the moon',
    prove: look,
  };
  const service = world.policies.inForce(world.tenant);
  return { service, proof, binding: {}, promises: [promise] };
}

const ground = (unready = false) => {
  const readiness = { unreadySince: async () => unready };
  return { outlook, services: [], readiness } as unknown as Ground;
};

test('a proof that throws could not look, and what it threw is not repeated', async () => {
  const secret = 'anna@example.org was there';
  const found = await proveOne(
    ground(),
    unit(async () => {
      throw new TypeError(secret);
    }),
  );
  assert.equal(found.state, 'gap');
  assert.match(found.saw, /TypeError/);
  assert.ok(!JSON.stringify(found).includes('anna'));
});

test('a proof that hangs could not look, and what it says too late counts for nothing', async () => {
  const found = await proveOne(
    ground(),
    unit(async ({ signal }) => {
      await new Promise((done) => signal.addEventListener('abort', done));
      return kept(saw`everything`);
    }),
    30,
  );
  assert.equal(found.state, 'gap');
  assert.match(found.saw, /took longer than 30 ms/);
});

test('what a proof saw while an engine was away is never called broken', async () => {
  const states = async (seen: Seen) => {
    const look = unit(async () => seen);
    const found = [await proveOne(ground(), look), await proveOne(ground(true), look)];
    return found.map(({ state }) => state);
  };
  assert.deepEqual(await states(broken(saw`nothing came`)), ['broken', 'gap']);
  assert.deepEqual(await states(kept(saw`it`)), ['kept', 'kept']);
});

test('one proof that fails stops none of the others', async () => {
  const units = [
    unit(async () => Promise.reject(new Error('no')), 'SA-01'),
    ...Array.from({ length: 9 }, (_, at) => unit(async () => kept(saw`it`), `SA-1${at}`)),
  ];
  const found: Finding[] = [];
  for await (const finding of prove(ground(), units)) found.push(finding);
  assert.equal(found.length, 10);
  assert.equal(found.filter(({ state }) => state === 'kept').length, 9);
});

/** A prover that says one finding, then does what is written. */
async function roundWith(then: string, ending?: AbortSignal): Promise<Finding[]> {
  const units = [
    unit(async () => kept(saw`it`), 'SA-01'),
    unit(async () => kept(saw`it`), 'SA-02'),
  ];
  const program = join(folder, 'prover.mjs');
  const first = { tenant: world.tenant, promises: ['SA-01'], state: 'kept', saw: 'it' };
  writeFileSync(program, `console.log(${JSON.stringify(JSON.stringify(first))});\n${then}\n`);
  const found: Finding[] = [];
  const start = { program, order: { outlook, wanted: {} }, units, silenceMs: 1_500 };
  for await (const one of proveInProcess({ ...start, ending })) found.push(one);
  return found;
}

for (const [what, then] of [
  ['crashes', 'throw new Error("no");'],
  ['is killed', 'process.kill(process.pid, "SIGKILL");'],
  ['spins', 'await new Promise((done) => setTimeout(done, 200)); for (;;);'],
  ['ends early', ''],
  ['tears its last line', 'process.stdout.write("{\\"tenant\\":");'],
] as const) {
  test(`what a prover that ${what} did not come to is a gap, and what it saw stands`, async () => {
    const found = await roundWith(then);
    assert.deepEqual(
      found.map(({ promises, state }) => [...promises, state]),
      [
        ['SA-01', 'kept'],
        ['SA-02', 'gap'],
      ],
    );
    assert.match(found[1]?.saw ?? '', /ended before it had looked/);
  });
}

test('a prover of a server that stops ends at once, and what it did not come to is left as it was', async () => {
  const ending = new AbortController();
  setTimeout(() => ending.abort(), 300);
  const began = performance.now();
  const found = await roundWith('for (;;);', ending.signal);
  assert.ok(performance.now() - began < 1_200, 'before it would have been taken for stuck');
  assert.ok(found.every(({ state }) => state === 'kept'));
  assert.deepEqual(await roundWith('', ending.signal), []);
});
