import { test } from 'node:test';
import { useProven } from '#testing/proven';

const proven = useProven();

const FILE = 'oversight/availability/availability.ts';

test('what is published is what was measured, an hour without anybody included', async () => {
  await proven.keeps('oversight.availability');
  await proven.sql`
    insert into troth.availability_minutes (minute, ready)
    select date_trunc('minute', now()) - interval '1 hour' * n, n > 1
    from generate_series(1, 2) as n`;
  await proven.keeps('oversight.availability');
});

test('a better figure than was measured is found', async () => {
  await proven.restart([[FILE, 'Math.round((100_000 * ready) / minutes) / 1_000', '100']]);
  await proven.breaks('oversight.availability');
  await proven.restart([[FILE, 'Math.floor((now - since.getTime()) / MINUTE_MS) + 1', 'ready']]);
  await proven.breaks('oversight.availability');
});

test('a measure that nobody takes any more is found', async () => {
  await proven.restart([
    [FILE, '  await note();\n', ''],
    [FILE, 'ASK_EVERY_MS);', '2_000_000_000);'],
  ]);
  await proven.sql`delete from troth.availability_minutes where minute > now() - interval '5 minutes'`;
  await proven.breaks('oversight.availability');
});
