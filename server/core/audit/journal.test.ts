import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PurposeId, SubjectId, TenantId } from '#base/ids';
import { type Forgotten, openJournal, readJournal } from '#core/audit';
import { mountSmallDisk } from '#testing/faults';

let directory = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'consent-journal-'));
});
after(() => rm(directory, { recursive: true, force: true }));

const entry = (number: number): Forgotten => ({
  kind: 'consent.withdrawn',
  tenant: TenantId('loopkit'),
  at: new Date(1_700_000_000_000 + number),
  subject: SubjectId(number.toString(16).padStart(32, '0')),
  purpose: PurposeId('enhanced-insights'),
});

test('what was journalled is read again, in order, after the file was opened twice', async () => {
  const file = join(directory, 'twice');
  assert.deepEqual(await readJournal(file), [], 'no file, nothing forgotten');
  for (const number of [1, 2]) {
    const journal = await openJournal(file);
    await journal.append([entry(number), entry(number + 10)]);
    await journal.append([]);
    await journal.close();
  }
  assert.deepEqual(await readJournal(file), [entry(1), entry(11), entry(2), entry(12)]);
});

test('writers at the same moment all find their entries there', async () => {
  const file = join(directory, 'many');
  const journal = await openJournal(file);
  const numbers = Array.from({ length: 200 }, (_, number) => number);
  await Promise.all(numbers.map((number) => journal.append([entry(number)])));
  assert.deepEqual(await readJournal(file), numbers.map(entry));
  await journal.close();
});

test('a last line that was torn at any byte is left out, and the next one starts afresh', async () => {
  const file = join(directory, 'torn');
  const journal = await openJournal(file);
  await journal.append([entry(1)]);
  const whole = await readFile(file);
  await journal.append([entry(2)]);
  await journal.close();
  const full = await readFile(file);
  for (let cut = whole.length; cut < full.length; cut += 7) {
    await writeFile(file, full.subarray(0, cut));
    assert.deepEqual(await readJournal(file), [entry(1)], `cut at ${cut}`);
    const again = await openJournal(file);
    await again.append([entry(3)]);
    await again.close();
    assert.deepEqual(await readJournal(file), [entry(1), entry(3)], `cut at ${cut}`);
  }
  await writeFile(file, Buffer.concat([full.subarray(0, full.length - 9), Buffer.alloc(512)]));
  assert.deepEqual(await readJournal(file), [entry(1)], 'a block of zeroes behind the tear');
});

test('a line that was damaged before the last one stops a replay', async () => {
  const file = join(directory, 'damaged');
  const journal = await openJournal(file);
  await journal.append([entry(1)]);
  await journal.append([entry(2)]);
  await journal.close();
  const bytes = await readFile(file);
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  await writeFile(file, bytes);
  await assert.rejects(readJournal(file), /damaged at byte 0/);
  await assert.rejects(openJournal(file), /damaged at byte 0/);
});

test('every entry that was acknowledged survives a kill in the middle of writing', async () => {
  const file = join(directory, 'killed');
  const script = `
    import { openJournal } from '#core/audit';
    const journal = await openJournal(${JSON.stringify(file)});
    for (let n = 1; ; n++) {
      const subject = n.toString(16).padStart(32, '0');
      await journal.append([{ kind: 'subject.erased', tenant: 'loopkit', at: new Date(n), subject }]);
      process.stdout.write(n + '\\n');
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: join(import.meta.dirname, '..', '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let told = '';
  for await (const chunk of child.stdout) {
    told += String(chunk);
    if (told.length > 400) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  const acknowledged = Number(told.trimEnd().split('\n').at(-1));
  await appendFile(file, '0123456789abcdef {"at":"2026');
  const found = await readJournal(file);
  assert.ok(acknowledged > 50);
  assert.ok(found.length >= acknowledged, `${found.length} of ${acknowledged} acknowledged`);
  assert.ok(found.every(({ at }, index) => at.getTime() === index + 1));
});

test('a journal that cannot be written acknowledges nothing more (journal-not-durable)', async () => {
  const journal = await openJournal(join(directory, 'closed'));
  await journal.close();
  await assert.rejects(journal.append([entry(1)]), { code: 'journal-not-durable' });
  await assert.rejects(journal.append([entry(2)]), { code: 'journal-not-durable' });
});

test('a full disk is refused whole, and with room again the journal goes on', async (t) => {
  const disk = mountSmallDisk(join(directory, 'small'), 1);
  if (!disk) return t.skip('this user may not mount a small disk');
  try {
    const file = join(disk.path, 'journal');
    const filler = join(disk.path, 'filler');
    const journal = await openJournal(file);
    await journal.append([entry(1)]);
    await writeFile(filler, Buffer.alloc(2 ** 20)).catch(() => undefined);
    const many = Array.from({ length: 100 }, (_, at) => entry(at + 10));
    const refusal = { code: 'journal-not-durable', retryAfterSeconds: 10 };
    await assert.rejects(journal.append(many), refusal);
    await assert.rejects(journal.append(many), refusal);
    await rm(filler);
    await journal.append([entry(2)]);
    await journal.close();
    assert.deepEqual(await readJournal(file), [entry(1), entry(2)]);
  } finally {
    disk.unmount();
  }
});

test('nothing but ids and digests gets into the journal', async () => {
  const file = join(directory, 'ids');
  const journal = await openJournal(file);
  const bad = { ...entry(1), subject: 'ada@example.com' as never };
  await assert.rejects(journal.append([bad]), TypeError);
  await assert.rejects(journal.append([{ ...entry(1), digest: 'a name' }]), TypeError);
  await journal.close();
  await truncate(file, 0);
  assert.equal((await readFile(file)).length, 0);
});
