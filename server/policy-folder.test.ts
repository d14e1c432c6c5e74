import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { KeyId, TenantId } from '#base/ids';
import { readAudit } from '#core/audit';
import { applyPolicy, listRevisions } from '#core/policy';
import { silentLog } from '#platform/log';
import { samplePolicy } from '#testing/sample-policy';
import { useWorld } from '#testing/world';
import { applyFolder, readFolder } from './policy-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'troth-folder-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const world = useWorld();
const more = 'changes: { material-notice: P30D, channels: [email] }\n';

/** Starts over the folder; what it says, and how many revisions the service has then. */
async function start(text: string): Promise<[said: string, revisions: number]> {
  writeFileSync(join(folder, 'shop.yaml'), text);
  const said: string[] = [];
  const { db, events, clock } = world;
  const say = (line: string) => void said.push(line);
  const given = { db, events, clock, log: silentLog, progress: say, complain: say };
  await applyFolder(folder, readFolder(folder, given.clock.now()), given);
  return [said.join('\n'), (await listRevisions(db, shop())).length];
}

const shop = () => TenantId(`shop-${world.tenant.slice(-8)}`);
const document = (retain: string) => samplePolicy(shop(), { more, retain });

test('a document of the folder may change under its version; what is material waits, and is named', async () => {
  assert.equal((await start(document('P90D')))[1], 1);
  assert.equal((await start(document('P60D')))[1], 2, 'less is kept: nobody loses');
  const [said, revisions] = await start(document('P120D'));
  assert.equal(revisions, 2, 'the revision before stays in force');
  assert.match(
    said,
    /shop\.yaml, waits: .*may take effect on \d{4}-\d{2}-\d{2}.*; revision 2 of .* stays .*troth -- apply/,
  );
  const entries = await readAudit(world.db, { tenant: shop(), limit: 10 });
  assert.deepEqual(
    entries.map(({ event, fields }) => [event, fields['revision'], fields['material']]),
    [
      ['policy.applied', 1, false],
      ['policy.applied', 2, false],
    ],
  );
});

test('a start names each service whose policy in force is the operator’s, and the way back', async () => {
  const { db, events, clock } = world;
  const text = document('P30D').replaceAll(/^version: .*$/gm, 'version: "7.0"');
  const actor = { kind: 'operator', id: KeyId('operator') } as const;
  const draft = { text, file: 'x.yaml', actor, reason: 'less is kept', now: clock.now() };
  const { revision } = await applyPolicy(db, events, { ...draft, sameVersion: true }, silentLog);
  const [said, revisions] = await start(document('P60D'));
  assert.equal(revisions, revision, 'the folder changes nothing');
  assert.equal(said.split('\n').length, 1);
  assert.ok(said.includes(`${shop()}: revision ${revision}, which the operator applied`), said);
  assert.ok(said.endsWith(`troth apply ${join(folder, 'shop.yaml')} --reason TEXT`), said);
});
