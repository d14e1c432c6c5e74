import { test } from 'node:test';
import { useProven } from '#testing/proven';

const proven = useProven();

test('what nobody declared is in no row, and the proof says so', async () => {
  await proven.keeps('ingest.declared-fields-only');
});

test('an undeclared field that reaches any table is found', async () => {
  await proven.restart([
    [
      'domains/ingest/check-schema.ts',
      '  const event = makeEvent({\n    index,\n    kind,\n    name,',
      '  const event = makeEvent({\n    index,\n    kind,\n    name: name + JSON.stringify(properties),',
    ],
  ]);
  await proven.breaks('ingest.declared-fields-only');
});
