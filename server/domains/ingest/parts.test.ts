import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { TenantId } from '#base/ids';
import { RotatingBloom } from './bloom.ts';
import { ageMinimum } from './check-age.ts';
import { reduceUserAgent } from './detect-device.ts';
import {
  originOf,
  pathOf,
  readerOf,
  TOO_LONG,
  usualColumnType,
  WRONG,
  writerOf,
} from './fields.ts';
import { Inbox } from './inbox.ts';
import { decodeInbox, encodeInbox, Section } from './inbox-format.ts';
import { MessageWindow } from './message-window.ts';
import { ingestPath } from './paths.ts';
import { pipeline } from './pipeline.ts';
import type { TypePlan } from './plan.ts';
import { RateLimits } from './rates.ts';
import { RowBytes } from './row-bytes.ts';

test('the pipeline is the list that the pages print, in its order', () => {
  assert.deepEqual(
    pipeline.map(({ name }) => name),
    'checkRate checkSchema dedupe locate forgetAddress checkAge checkSignals checkConsent stripContent detectDevice linkSession pseudonymise seal store'.split(
      ' ',
    ),
  );
});

test('strings of every length and script are written as LEB128 length and UTF-8', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 300 })), (texts) => {
      const row = new RowBytes(8);
      for (const text of texts) row.string(text);
      let at = 0;
      for (const text of texts) {
        let size = 0;
        for (let shift = 0; ; shift += 7) {
          const byte = row.view()[at++] as number;
          size |= (byte & 0x7f) << shift;
          if (byte < 0x80) break;
        }
        assert.equal(row.view().toString('utf8', at, at + size), text.toWellFormed());
        at += size;
      }
      assert.equal(at, row.length);
    }),
  );
});

test('whole numbers up to 2^53, below zero too, are eight bytes in two’s complement', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const row = new RowBytes(8);
      row.i64(value);
      assert.equal(row.view().readBigInt64LE(0), BigInt(value));
    }),
  );
});

test('an inbox body gives back its rows, sorted into sections, byte for byte', () => {
  const rows = fc.array(fc.tuple(fc.constantFrom(1, 2, 9), fc.uint8Array({ maxLength: 200 })));
  fc.assert(
    fc.property(rows, (sent) => {
      const sections = new Map<number, Section>();
      for (const [layout, bytes] of sent) {
        const section = sections.get(layout) ?? new Section(layout, 20_000);
        sections.set(layout, section);
        section.beginRow().raw(bytes);
        section.endRow();
      }
      const read = [...decodeInbox(encodeInbox(sections.values()))];
      for (const layout of sections.keys()) {
        assert.deepEqual(
          read.filter((row) => row.layout === layout).map(({ row }) => [...row]),
          sent.filter(([to]) => to === layout).map(([, bytes]) => [...bytes]),
        );
      }
    }),
  );
});

test('bytes that are no inbox body are damage, and said to be', () => {
  assert.throws(() => [...decodeInbox(Buffer.from('hello'))], /not an inbox body/);
});

test('the window remembers the latest half of its slots at least, and never invents a message', () => {
  const window = new MessageWindow(64);
  for (let i = 1; i <= 1_000; i++) {
    window.put(i * 7, i, i);
    for (let back = Math.max(1, i - 31); back <= i; back++) {
      assert.equal(window.find(back * 7, back), back);
    }
    assert.equal(window.find(i * 7, i + 1), 0);
  }
});

test('the filter never says no to what was added since the last two turns', () => {
  const bloom = new RotatingBloom(1 << 14);
  const hash = (i: number) => {
    const digest = createHash('sha256').update(String(i)).digest();
    return [digest.readUInt32LE(0), digest.readUInt32LE(4)] as const;
  };
  for (let i = 0; i < 1_600; i++) bloom.add(...hash(i));
  for (let i = 0; i < 1_600; i++) assert.ok(bloom.mayHave(...hash(i)));
  let wrong = 0;
  for (let i = 10_000; i < 20_000; i++) if (bloom.mayHave(...hash(i))) wrong++;
  assert.ok(wrong < 500, `${wrong} of 10,000`);
});

test('a bucket gives two seconds’ worth at once and then the rate, whatever the size of requests', () => {
  const rates = new RateLimits();
  assert.equal(rates.take('t', 200, 100, 0), 0);
  assert.equal(rates.take('t', 100, 100, 0), 1);
  assert.equal(rates.take('t', 100, 100, 1_000), 0);
  assert.equal(rates.take('t', 1, 100, 1_000), 1);
  assert.equal(rates.take('u', 1, 100, 1_000), 0, 'another tenant has its own');
  assert.equal(rates.take('t', 10_000, 100, 60_000), 0, 'a full bucket lets a large request pass');
  assert.ok(rates.take('t', 1, 100, 61_000) > 60, 'which is paid for afterwards');
});

test('requests are limited by key, by address and by person, each by itself, and a refusal costs nothing', () => {
  const rates = new RateLimits();
  const tenant = TenantId('one');
  const all = { key: 'k', address: '10.0.0.1', person: 'p' };
  for (let i = 0; i < 10; i++) assert.equal(rates.takeRequest(tenant, all, 120, 0), 0);
  assert.equal(rates.takeRequest(tenant, all, 120, 0), 1);
  const none = { key: undefined, address: undefined, person: undefined };
  for (const kind of ['key', 'address', 'person'] as const) {
    const alone = { ...none, [kind]: all[kind] };
    assert.equal(rates.takeRequest(tenant, alone, 120, 0), 1, kind);
    assert.equal(rates.takeRequest(tenant, { ...none, [kind]: 'other' }, 120, 0), 0, kind);
  }
  assert.equal(rates.takeRequest(TenantId('two'), all, 120, 0), 0, 'another tenant has its own');
  assert.equal(rates.takeRequest(tenant, all, 120, 500), 0, 'half a second brings one back');
  assert.equal(rates.takeRequest(tenant, all, 120, 500), 1);
});

const type = { layout: 1, tenant: 't' } as TypePlan;
const permit = { tenant: 't' } as never;
const soon = async () => {
  for (let turn = 0; turn < 3; turn++) await new Promise((done) => setImmediate(done));
};

function addTo(inbox: Inbox): number {
  const section = inbox.section(permit, type, 1);
  section.beginRow().u8(1);
  section.endRow();
  inbox.count();
  return inbox.group;
}

test('all that arrives while a commit is on its way goes into the next, as one', async () => {
  const sizes: number[] = [];
  const finish: (() => void)[] = [];
  const inbox = new Inbox({
    writer: {
      write: (_, rows) => {
        sizes.push(rows);
        return new Promise((done) => finish.push(() => done(String(sizes.length))));
      },
    },
  });
  const answered: number[] = [];
  const send = () => {
    const group = addTo(inbox);
    inbox.whenDurable(group, () => answered.push(group));
  };
  send();
  await soon();
  for (let i = 0; i < 100; i++) send();
  await soon();
  assert.deepEqual([sizes, answered], [[1], []]);
  finish[0]?.();
  await soon();
  assert.deepEqual([sizes, answered.length], [[1, 100], 1]);
  finish[1]?.();
  await soon();
  assert.equal(answered.length, 101);
  await inbox.close();
});

test('a commit that fails is told to all who waited, and only to them', async () => {
  let fails = true;
  const inbox = new Inbox({
    writer: { write: async () => (fails ? Promise.reject(new Error('down')) : '1') },
  });
  const first = addTo(inbox);
  const durable = (group: number) => new Promise((done) => inbox.whenDurable(group, done));
  assert.equal(await durable(first), false);
  assert.ok(inbox.hasFailed(first));
  fails = false;
  const next = addTo(inbox);
  assert.equal(await durable(next), true);
  assert.ok(!inbox.hasFailed(next));
  await inbox.close();
});

test('paths are ours only when every part of them is', () => {
  assert.deepEqual(ingestPath('/v1/t/clanker/batch?x=1'), { tenant: 'clanker', kind: undefined });
  assert.deepEqual(ingestPath('/v1/tracks'), { tenant: undefined, kind: 'track' });
  assert.deepEqual(ingestPath('/v1/identify'), { tenant: undefined, kind: 'identify' });
  for (const other of [
    '/',
    '/v1/t/clanker/consents',
    '/v1/t/clanker/policy',
    '/v1/x',
    '/v1/t/A/batch',
  ]) {
    assert.equal(ingestPath(other), undefined, other);
  }
});

test('declared kinds read what they are and refuse what they are not', () => {
  const read = (declared: string, value: unknown) => readerOf({ type: declared })(value);
  assert.equal(read('string(3)', 'abc'), 'abc');
  assert.equal(read('string(3)', 'abcd'), TOO_LONG);
  assert.equal(read('string(3)', {}), WRONG);
  assert.equal(read('integer', '12'), 12);
  assert.equal(read('number', Number.POSITIVE_INFINITY), WRONG);
  assert.equal(read('boolean', 'yes'), WRONG);
  assert.equal(read('month', '2025-01-17'), '2025-01');
  assert.equal(read('timestamp', '2025-01-17T00:00:00Z'), 1_737_072_000_000);
  assert.equal(read('timestamp', 'yesterday'), WRONG);
  assert.equal(read('country', 'de'), 'DE');
  assert.equal(readerOf({ type: 'json', max: 8 })({ a: 'long text' }), TOO_LONG);
  assert.equal(readerOf({ enum: ['a'] })('b'), WRONG);
  for (const kind of [
    'string',
    'number',
    'integer',
    'boolean',
    'timestamp',
    'date',
    'month',
    'json',
  ]) {
    assert.doesNotThrow(() => writerOf(usualColumnType({ type: kind })), kind);
  }
});

test('URLs lose origin, query and fragment; referrers lose everything but the origin', () => {
  assert.equal(pathOf('https://u:p@x.test/a/b?q=1#c'), '/a/b');
  assert.equal(pathOf('/a?b'), '/a');
  assert.equal(originOf('https://User:Pw@Search.Test/find?q=secret'), 'https://search.test');
  assert.equal(originOf('javascript:alert(1)'), undefined);
});

test('a user agent is reduced to class, system and browser, and an invented one to nothing', () => {
  const chrome =
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.7390.55 Safari/537.36';
  assert.deepEqual(reduceUserAgent(chrome), { type: 'desktop', os: 'Windows', browser: 'Chrome' });
  const invented = reduceUserAgent('ada@example.com wrote 4111111111111111');
  assert.ok(!JSON.stringify(invented).includes('@') && !JSON.stringify(invented).includes('4111'));
});

test('the age asked for is the region’s, and the strictest where the region is not known', () => {
  const age = { minimum: 13, regions: { EU: 16, KR: 14 }, below: 'refuse' } as const;
  assert.deepEqual(
    ['DE', 'KR', 'US', ''].map((country) => ageMinimum(age, country)),
    [16, 14, 13, 16],
  );
});
