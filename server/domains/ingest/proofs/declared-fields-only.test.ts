import { test } from 'node:test';
import { type Edit, useProven } from '#testing/proven';

const proven = useProven();

test('what nobody declared is in no row, and the proof says so', async () => {
  await proven.keeps('ingest.declared-fields-only');
});

const named = (name: string): Edit => [
  'domains/ingest/check-schema.ts',
  '  const event = makeEvent({\n    index,\n    kind,\n    name,',
  `  const event = makeEvent({\n    index,\n    kind,\n    name: name + ${name},`,
];

test('an undeclared field that reaches any table is found', async () => {
  await proven.restart([named('JSON.stringify(properties)')]);
  await proven.breaks('ingest.declared-fields-only');
});

test('one that is a number, a list or an object is found too, and one that is a yes', async () => {
  for (const is of ["typeof one === 'number'", 'Array.isArray(one)', "typeof one === 'object'"]) {
    const values = `JSON.stringify(Object.values(properties).filter((one) => ${is}))`;
    await proven.restart([named(values)]);
    await proven.breaks('ingest.declared-fields-only');
  }
  const names = 'Object.entries(properties).filter(([, one]) => one === true).join()';
  await proven.restart([named(names)]);
  await proven.breaks('ingest.declared-fields-only');
});
