import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Edit, useProven } from '#testing/proven';

const proven = useProven();

/** Calls that wait for an interface of rights, and libraries that are not written: gaps, not kept. */
const NO_CALL = ['LK-76', 'LK-80', 'LK-82', 'LK-185'];
const NO_LIBRARY = ['MG-19', 'MG-20'];

/** Puts code before and after every library that the server hands out. */
const serving = (before: string, after: string): Edit => [
  'edges/http/file-routes.ts',
  'const bytes = CLIENTS.has(file) ? await fileOf(sdkDir, file) : undefined;',
  `const read = CLIENTS.has(file) ? await fileOf(sdkDir, file) : undefined;
   const front = Buffer.from(${JSON.stringify(before)});
   const back = Buffer.from(${JSON.stringify(after)});
   const bytes = read && Buffer.concat([front, read, back]);`,
];

test('the libraries do what is printed, and say and reach for no more', async () => {
  await proven.keeps('sdk.call', NO_CALL);
  await proven.keeps('sdk.library', NO_LIBRARY);
  await proven.keeps('sdk.system-fields');
  await proven.keeps('sdk.no-fingerprint');
});

test('calls that do nothing are found', async () => {
  const emptied = `
    for (const client of [globalThis.LoopKit, globalThis.magenta]) {
      for (const call of Object.keys(client ?? {}))
        if (call !== 'flush' && call !== 'shutdown') client[call] = () => ({});
    }`;
  await proven.restart([serving('', emptied)]);
  await proven.breaks('sdk.call', NO_CALL);
  await proven.breaks('sdk.library', NO_LIBRARY);
});

test('a library that says more of the machine, or reaches for what tells it apart, is found', async () => {
  const prying = `
    const write = JSON.stringify;
    JSON.stringify = (value) => {
      const system = value?.context?.system;
      if (system) system.fonts = 'many';
      return write(value);
    };
    navigator.plugins;`;
  await proven.restart([serving(`{${prying}}`, '')]);
  await proven.breaks('sdk.system-fields');
  await proven.breaks('sdk.no-fingerprint');
});

test('a library that has not come to sending is a gap: nothing is lost that still waits', async () => {
  await proven.restart([serving('globalThis.fetch = undefined;', '')]);
  const findings = await proven.prove({ tenant: 'loopkit', control: 'sdk.system-fields' });
  assert.deepEqual(
    findings.map(({ state }) => state),
    findings.map(() => 'gap'),
  );
});
