/**
 * A person's rows in the tables of a service's schema.
 *
 * Each domain erases what it owns. What is counted, before and after, follows from the catalogue of
 * the database instead: a table that its domain forgot is found with rows in it, and no certificate
 * is signed.
 */
import type { Clock } from '#base/clock';
import type { SubjectId, TenantId } from '#base/ids';
import type { Domain } from '#core/domain';
import { inTenant, schemaOf, type TenantTx } from '#core/tenancy';
import type { Database } from '#platform/database';
import type { ErasureStore } from './model.ts';

const ERASER = 'troth_eraser';
/** People in one transaction: it holds locks for as long as it lasts. */
const AT_ONCE = 50;

const tablesWithSubject = (tx: TenantTx, tenant: TenantId) => tx<{ name: string }[]>`
  select relname as name
  from pg_class
  join pg_attribute on attrelid = pg_class.oid
  where relnamespace = ${schemaOf(tenant)}::regnamespace
    and relkind in ('r', 'p')
    and attname = 'subject'
    and not attisdropped
  order by relname
  limit 1000`;

export function tablesStore(given: {
  readonly db: Database;
  readonly clock: Clock;
  readonly domains: readonly Pick<Domain, 'name' | 'personalData'>[];
}): ErasureStore {
  const { db, clock, domains } = given;
  const scope = (tenant: TenantId) => ({ tenant, role: ERASER, now: clock.now() }) as const;
  return {
    name: 'postgresql',
    count: (tenant, subjects) =>
      inTenant(db, scope(tenant), async (tx) => {
        const counts = new Map<string, Map<SubjectId, number>>();
        for (const { name } of await tablesWithSubject(tx, tenant)) {
          const rows = await tx<{ subject: SubjectId; rows: number }[]>`
            select encode(uuid_send(subject), 'hex') as subject, count(*)::float8 as rows
            from ${tx(name)}
            where subject = any (${[...subjects]}::uuid[])
            group by 1`;
          counts.set(name, new Map(rows.map((row) => [row.subject, row.rows])));
        }
        return counts;
      }),
    async erase(tenant, subjects) {
      for (let at = 0; at < subjects.length; at += AT_ONCE) {
        await inTenant(db, scope(tenant), async (tx) => {
          for (const subject of subjects.slice(at, at + AT_ONCE)) {
            for (const { personalData } of domains) await personalData.erase?.(tx, subject);
          }
        });
      }
    },
  };
}
