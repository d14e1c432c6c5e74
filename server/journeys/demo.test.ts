/** The demo, as a newcomer starts it: what its day leaves behind is what the page has to show. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type RunningServer, startRunning } from '#testing/running';

const DEMO = join(import.meta.dirname, '..', '..', 'demo', 'main.ts');
/**
 * Left out: what wants a burst, a choice of the operator, a guessed id, or a trait that is
 * declared.
 */
const SHOWN = [
  'duplicate',
  'identify-no-consent',
  'identify-personal-data',
  'identify-refused',
  'name-withheld',
  'no-consent',
  'over-limit',
  'person-erased',
  'personal-content',
  'scope-limited',
  'signal-dnt',
  'signal-do-not-sell',
  'signal-gpc',
  'undeclared-event',
  'undeclared-field',
  'under-age',
  'wrong-schema',
];

let server: RunningServer;
before(async () => {
  server = await startRunning();
});
after(() => server.stop());

type Figures = { accepted: number; drops: { reason: string; events: number }[] };

async function figuresOf(tenant: string): Promise<Figures> {
  const headers = { cookie: `troth_operator=${server.operatorToken}` };
  const answer = await fetch(new URL(`/v1/t/${tenant}/pipeline`, server.url), { headers });
  return (await answer.json()) as Figures;
}

test('the recorded day shows every reason that real traffic has, and several at each service', async () => {
  await promisify(execFile)(process.execPath, [DEMO, '--once', '--json', '--speed', '14400'], {
    env: { ...process.env, TROTH_DATA_DIR: server.dataDir, NODE_NO_WARNINGS: '1' },
  });
  const seen = new Set<string>();
  for (const tenant of ['clanker', 'conducktr', 'workorders', 'magenta', 'loopkit']) {
    const { accepted, drops } = await figuresOf(tenant);
    assert.ok(accepted > 200, tenant);
    assert.ok(drops.length >= 5, `${tenant}: ${drops.map(({ reason }) => reason).join(' ')}`);
    for (const { reason } of drops) seen.add(reason);
  }
  const missing = SHOWN.filter((reason) => !seen.has(reason));
  assert.deepEqual(missing, []);
});
