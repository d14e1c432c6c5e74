/** What tests of the audit log share: a place for logs, acts to record, and a sequencer on them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyId, type TenantId } from '#base/ids';
import { appendAudits, logFolder, openTenantLog, originOf, Sequencer } from '#core/audit';
import { type Actor, authorize } from '#core/policy';
import { inTenant } from '#core/tenancy';
import { silentLog } from '#platform/log';
import { checkLog } from '#platform/tiles';
import { until } from './faults.ts';
import { testSigner } from './signer.ts';
import type { World } from './world.ts';

export const INSTANCE = '00000000-0000-4000-8000-000000000000';
export const SYSTEM: Actor = { kind: 'system', id: KeyId('treeTest') };

export type LogsPlace = ReturnType<typeof logsPlace>;

/** An empty place for logs, with a key of its own. */
export function logsPlace(folder = mkdtempSync(join(tmpdir(), 'audit-logs-'))) {
  return {
    folder,
    signer: testSigner(),
    instance: INSTANCE,
    auditDir: join(folder, 'logs'),
    copyDir: join(folder, 'copies'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Records acts of a tenant, in one transaction. @returns the entries' ids. */
export const act = (world: World, count = 1, tenant = world.tenant): Promise<string[]> =>
  inTenant(world.db, { tenant, now: world.clock.now() }, (tx) =>
    appendAudits(
      tx,
      authorize(tx, SYSTEM, 'consent.record'),
      Array.from({ length: count }, () => ({ event: 'consent.recorded' as const })),
    ),
  );

export async function sequencing(world: World, place: LogsPlace): Promise<Sequencer> {
  const { auditDir, copyDir, signer, instance } = place;
  const { db, clock } = world;
  const options = { db, clock, log: silentLog, auditDir, copyDir, signer, instance };
  const sequencer = new Sequencer(options);
  await sequencer.start();
  return sequencer;
}

export const waiting = async ({ db }: World): Promise<number> => {
  const [row] = await db.sql<{ count: number }[]>`
    select count(*)::int as count from troth.audit_pending`;
  return row?.count ?? 0;
};

export const settled = (world: World, withinMs = 10_000) =>
  until('every entry is in its log', withinMs, async () => (await waiting(world)) === 0);

/** The ids of the entries in a log, in order; checks the whole log on the way. */
export async function idsIn(place: LogsPlace, tenant: TenantId): Promise<string[]> {
  const checked = await checkLog(logFolder(place.auditDir, tenant), {
    origin: originOf(place.instance, tenant),
    publicKey: place.signer.publicKey,
  });
  if (checked === 'empty') return [];
  if ('fault' in checked) throw new Error(JSON.stringify(checked));
  const log = openTenantLog(place.auditDir, tenant);
  const reader = log?.read();
  return Array.from({ length: checked.checkpoint.size }, (_, index) => {
    const text = reader?.entry(index).toString('utf8') ?? '';
    return text === '' ? '' : (JSON.parse(text) as { id: string }).id;
  });
}
