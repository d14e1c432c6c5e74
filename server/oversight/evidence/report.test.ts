import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { verifyDocument } from '#base/signed-document';
import { parseVkey } from '#base/signed-note';
import { asOperator, type RunningServer, startRunning } from '#testing/running';
import { type Report, reportComplaints } from './report.ts';

let server: RunningServer;
let text = '';
before(async () => {
  server = await startRunning();
  const body = { tenant: 'workorders', control: 'configuration' };
  await (await asOperator(server, '/v1/operator/prove', { body })).text();
  // A finding is in the log once the sequencer took it, and in a report that is made after that.
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    text = await (await fetch(new URL('/v1/t/workorders/report.json', server.url))).text();
    if (kept().length > 0 && kept().every(({ id }) => report().audit.entries[id])) break;
    await new Promise((done) => setTimeout(done, 5_200));
  }
});
after(() => server?.stop());

const publicKey = () =>
  parseVkey(readFileSync(join(server.dataDir, 'troth.pub'), 'utf8'))?.publicKey ?? Buffer.alloc(0);
const report = () => JSON.parse(text).document as Report;
const kept = () => report().promises.filter(({ state }) => state === 'kept');

test('a report is signed, its counts follow from its rows, and its findings stand in the log', () => {
  const found = verifyDocument(JSON.parse(text), publicKey());
  assert.ok('kind' in found && found.trusted);
  assert.deepEqual(reportComplaints(report(), publicKey()), []);
  assert.ok(report().counts.kept > 0);
  assert.ok(kept().every(({ id }) => report().audit.entries[id]));
});

test('a report says whom it convinces of what, and of each kept promise what was seen', () => {
  assert.match(report().whatItShows.join(' '), /An operator who lies could/);
  for (const { state, saw, blindTo, strength } of report().promises) {
    if (state === 'kept') assert.ok(saw && blindTo && strength);
  }
});

type Wrong = [what: string, change: (made: Report) => unknown];
const WRONG: Wrong[] = [
  ['one more promise is counted', ({ counts }) => Object.assign(counts, { kept: counts.kept + 1 })],
  ['a promise is kept by nothing', (made) => Object.assign(made.promises[0] ?? {}, { saw: null })],
  [
    'the log has another finding',
    ({ promises, counts }) => {
      const row = promises.find(({ state }) => state === 'kept');
      Object.assign(row ?? {}, { state: 'broken' });
      Object.assign(counts, { kept: counts.kept - 1, broken: counts.broken + 1 });
    },
  ],
  [
    'an entry is of another place',
    ({ audit }) => Object.assign(Object.values(audit.entries)[0] ?? {}, { index: 0 }),
  ],
  ['the log is of another key', ({ audit }) => Object.assign(audit, { checkpoint: 'a\n1\nb\n' })],
];
for (const [what, change] of WRONG) {
  test(`it is found when in a report ${what}`, () => {
    const made = structuredClone(report());
    change(made);
    assert.ok(reportComplaints(made, publicKey()).length > 0);
  });
}

test('a report that was changed after it was signed is no report', () => {
  const changed = text.replace('"state":"gap"', '"state":"kept"');
  assert.notEqual(changed, text);
  assert.deepEqual(verifyDocument(JSON.parse(changed), publicKey()), {
    failure: 'signature-wrong',
  });
});

test('the page of the report says the same, without a script, with its one style allowed', async () => {
  const answer = await fetch(new URL('/v1/t/workorders/report.html', server.url));
  const page = await answer.text();
  assert.match(answer.headers.get('content-security-policy') ?? '', /style-src 'self' 'sha256-/);
  assert.ok(!page.includes('<script'));
  for (const { id } of report().promises) assert.ok(page.includes(`id="${id}"`));
});
