import { systemClock } from '#base/clock';
import { KeyId, SubjectId } from '#base/ids';
import type { Canaries } from '#core/looking';
import { type Actor, authorize, type PolicyInForce } from '#core/policy';
import { importBackdated } from '#domains/retention';
import { noteCanaries } from './canary-store.ts';
import type { Ground } from './ground.ts';

const PROVER: Actor = { kind: 'system', id: KeyId('prover') };

/** Plants rows from earlier times, and puts them on record as canaries. */
export async function plantBackdated(
  { login, events, sql, people }: Ground,
  service: PolicyInForce,
  [dataType, received, tier = 'active', country = '', subject]: Parameters<Canaries['backdated']>,
): Promise<string[]> {
  const { tenant } = service;
  const permit = authorize(service, PROVER, 'canary.write');
  const note = (messages: readonly bigint[]) =>
    noteCanaries(sql, people(tenant).seed, { tenant, messages });
  const deps = { db: login, events, clock: systemClock, note };
  const planted: string[] = [];
  for (const receivedAt of received) {
    const row = { name: 'canary', country, ...(subject && { subject: SubjectId(subject) }) };
    const wanted = { dataType, rows: [row], receivedAt, tier };
    planted.push(...(await importBackdated(deps, permit, service, wanted)));
  }
  return planted;
}
