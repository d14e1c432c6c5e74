import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { movableClock } from '#base/clock';
import { TenantId } from '#base/ids';
import { signDocument, verifyDocument } from '#base/signed-document';
import { signCheckpoint } from '#base/signed-note';
import { exportLog, logFolder, originOf, verifyExport } from '#core/audit';
import { appendEntries, newLog } from '#platform/tiles';
import { INSTANCE, logsPlace } from '#testing/sequencing';
import { testSigner } from '#testing/signer';

const tenant = TenantId('clanker');
const place = logsPlace();
after(() => place.remove());
const { signer, auditDir } = place;
const origin = originOf(INSTANCE, tenant);
const clock = movableClock(new Date('2026-03-02T09:00:00Z'));

const entry = (index: number) => Buffer.from(`{"event":"a.b","n":${index}}`);
await appendEntries(
  { dir: logFolder(auditDir, tenant), copy: { dir: place.copyDir, name: tenant }, signer },
  newLog(origin),
  Array.from({ length: 600 }, (_, index) => entry(index)),
);
const chunks: Buffer[] = [];
for await (const lines of exportLog({ auditDir, tenant, signer, clock })) chunks.push(lines);
const [head = '', ...lines] = Buffer.concat(chunks).toString('utf8').trimEnd().split('\n');

const opened = (value: unknown) => {
  const header = verifyDocument(value);
  assert.ok(!('failure' in header));
  return header;
};
const header = opened(JSON.parse(head));
async function* given(all: readonly string[]) {
  for (let at = 0; at < all.length; at += 7)
    yield all.slice(at, at + 7).map((line) => Buffer.from(line));
}
const verdict = (all: readonly string[], since?: string) => verifyExport(header, given(all), since);
const isWrong = async (all: readonly string[], since?: string) =>
  'wrong' in (await verdict(all, since));

test('an export that is whole verifies, whatever groups its lines come in', async () => {
  const found = await verdict(lines);
  assert.ok(!('wrong' in found));
  assert.equal(found.size, 600);
  assert.equal(found.tenant, 'clanker');
  assert.equal(found.cut, 0);
});

test('hostile lines are called wrong, and throw nothing', async () => {
  for (const line of [
    ...['', '#', '#AAAA', `#${'A'.repeat(43)}=x`, '{"event":"audit.cut"', '\0'],
    ...['{"event":"audit.cut","fields":null}', '{"event":"audit.cut","fields":{"floor":1e999}}'],
  ]) {
    assert.ok(await isWrong(lines.with(5, line)), line);
    assert.ok(await isWrong([...lines, line]), `${line} behind the last`);
  }
  assert.ok(await isWrong([]));
  assert.ok(await isWrong(lines.toSorted()));
});

test('a header that holds anything else than a checkpoint of its log is called wrong', async () => {
  const root = Buffer.alloc(32);
  for (const document of [
    null,
    7,
    {},
    { tenant: 'clanker', checkpoint: 7 },
    {
      tenant: 'clanker',
      checkpoint: await signCheckpoint({ origin, size: 0, root }, testSigner()),
    },
    { tenant: 'magenta', checkpoint: (header.document as { checkpoint: string }).checkpoint },
  ]) {
    const signed = opened(await signDocument('audit-export', document, signer));
    assert.ok('wrong' in (await verifyExport(signed, given(lines))), JSON.stringify(document));
  }
});

test('an earlier checkpoint of another log, key or history is not extended', async () => {
  const { checkpoint } = header.document as { checkpoint: string };
  assert.ok(!(await isWrong(lines, checkpoint)));
  const root = Buffer.alloc(32, 1);
  for (const [name, note] of Object.entries({
    nothing: '',
    text: 'not a checkpoint',
    key: await signCheckpoint({ origin, size: 5, root }, testSigner()),
    log: await signCheckpoint({ origin: `${origin}x`, size: 5, root }, signer),
    history: await signCheckpoint({ origin, size: 5, root }, signer),
    empty: await signCheckpoint({ origin, size: 0, root }, signer),
    longer: await signCheckpoint({ origin, size: 601, root }, signer),
  })) {
    assert.ok(await isWrong(lines, note), name);
  }
});
