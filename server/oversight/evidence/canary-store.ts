import type postgres from 'postgres';
import type { SubjectId, TenantId } from '#base/ids';
import type { PolicyInForce } from '#core/policy';
import { archiveDatabaseOf, eventTablesOf, schemaOf, type TenantTx } from '#core/tenancy';
import type { Events } from '#platform/events';

const CANARIES_MAX = 100_000;
/** What was accepted may still be on its way into its table: it is removed once more after that. */
const ON_THE_WAY = '5 minutes';
/** Longer than a prover lives. */
const OVER = '20 minutes';

/** Puts messages on record before they are sent. */
export async function noteCanaries(
  sql: postgres.Sql,
  seed: Buffer,
  { tenant, messages }: { tenant: TenantId; messages: readonly bigint[] },
): Promise<void> {
  await sql`
    insert into troth.canaries (tenant, message, noted_at, seed)
    select ${tenant}, message::numeric, clock_timestamp(), ${seed}
    from unnest(${[...new Set(messages)].map(String)}::text[]) as message
    on conflict (tenant, message) do update set noted_at = excluded.noted_at`;
}

type Ground = {
  readonly sql: postgres.Sql;
  readonly events: Pick<Events, 'command' | 'query'>;
  readonly services: readonly PolicyInForce[];
};

/** The tables of events, and of archived ones where there are any. */
async function placesOf(events: Ground['events'], { tenant, policy }: PolicyInForce) {
  const active = eventTablesOf(tenant, policy);
  const archived = await events.query<{ database: string; table: string }>(
    `select database, name as table
     from system.tables
     where database = {database:String} and name in {tables:Array(String)}`,
    { database: archiveDatabaseOf(tenant), tables: active.map(({ table }) => table) },
  );
  return [...active, ...archived];
}

/** Removes every row that canaries of rounds that have ended left in the event tables. */
export async function removeCanaries({ sql, events, services }: Ground): Promise<void> {
  for (const service of services) {
    const { tenant } = service;
    const ended = sql`
      tenant = ${tenant}
      and (noted_at < clock_timestamp() - ${OVER}::interval
           or seed in (select seed from troth.canary_seeds where people is not null))`;
    const noted = await sql<{ message: string }[]>`
      select message::text as message
      from troth.canaries
      where ${ended}
      limit ${CANARIES_MAX}`;
    if (noted.length === 0) continue;
    const messages = noted.map(({ message }) => BigInt(message));
    for (const { database, table } of await placesOf(events, service)) {
      await events.command(
        `alter table {database:Identifier}.{table:Identifier}
         delete where message in {messages:Array(UInt64)}`,
        { database, table, messages },
      );
    }
    await sql`
      delete from troth.canaries
      where ${ended} and noted_at < clock_timestamp() - ${ON_THE_WAY}::interval`;
  }
}

/** Puts a seed on record before the first name that follows from it is used. */
export async function noteSeed(sql: postgres.Sql, tenant: TenantId, seed: Buffer): Promise<void> {
  await sql`
    insert into troth.canary_seeds (seed, tenant, noted_at)
    values (${seed}, ${tenant}, clock_timestamp())`;
}

export async function noteSubject(
  sql: postgres.Sql,
  seed: Buffer,
  { tenant, subject }: { tenant: TenantId; subject: SubjectId },
): Promise<void> {
  await sql`
    insert into troth.canary_subjects (seed, tenant, subject)
    values (${seed}, ${tenant}, ${subject})
    on conflict do nothing`;
}

/** How many of a seed were named, from when on no more are. */
export async function notePeople(sql: postgres.Sql, seed: Buffer, people: number): Promise<void> {
  await sql`update troth.canary_seeds set people = ${people} where seed = ${seed}`;
}

export type Seeded = {
  readonly seed: Buffer;
  readonly people: number | null;
  readonly subjects: readonly SubjectId[];
};

/** The seeds of rounds that have ended, also of provers that died. */
export async function readSeeds(sql: postgres.Sql, tenant: TenantId): Promise<Seeded[]> {
  return sql<Seeded[]>`
    select seeds.seed, people, array_remove(array_agg(encode(uuid_send(subject), 'hex')), null) as subjects
    from troth.canary_seeds as seeds
    left join troth.canary_subjects as named on named.seed = seeds.seed
    where seeds.tenant = ${tenant}
      and (people is not null or noted_at < clock_timestamp() - ${OVER}::interval)
    group by seeds.seed, people
    limit 1000`;
}

/** Forgets the seeds of which nothing can be left any more. */
export async function dropSeeds(sql: postgres.Sql, seeds: readonly Buffer[]): Promise<void> {
  await sql`
    delete from troth.canary_seeds as ended
    where encode(seed, 'hex') = any (${seeds.map((seed) => seed.toString('hex'))}::text[])
      and noted_at < clock_timestamp() - ${ON_THE_WAY}::interval
      and not exists (select 1 from troth.canaries where canaries.seed = ended.seed)
      and not exists (
        select 1
        from troth.canary_subjects as named
        join troth.erasures on erasures.tenant = named.tenant and erasures.subject = named.subject
        where named.seed = ended.seed)`;
}

/** Removes what canaries left in the tables of a service; as the role that erases people. */
export async function removeRows(tx: TenantTx, subjects: readonly SubjectId[]): Promise<void> {
  const tables = await tx<{ name: string }[]>`
    select relname as name
    from pg_class
    join pg_attribute on attrelid = pg_class.oid
    where relnamespace = ${schemaOf(tx.tenant)}::regnamespace
      and relkind in ('r', 'p') and attname = 'subject' and not attisdropped
    limit 1000`;
  for (const { name } of tables) {
    await tx`delete from ${tx(name)} where subject = any (${[...subjects]}::uuid[])`;
  }
}

/** Removes the demands that proofs made for canaries: no service is to answer for them. */
export async function removeDemands(
  sql: postgres.Sql,
  tenant: TenantId,
  subjects: readonly SubjectId[],
): Promise<void> {
  const whose = sql`tenant = ${tenant} and subject = any (${[...subjects]}::uuid[])`;
  // What is being walked is left until it has come to its end.
  const still = sql`state in ('done', 'undone', 'hidden', 'held')`;
  await sql`delete from troth.erasures where ${whose} and ${still}`;
  await sql`delete from troth.holds where ${whose}`;
  await sql`
    delete from troth.hidden_subjects as hidden
    where ${whose} and not exists (
      select 1 from troth.erasure_subjects as open
      where open.tenant = hidden.tenant and open.subject = hidden.subject)`;
}

/** Who of these people is a canary: at the boundary where people are told of others. */
export async function canariesAmong(
  sql: postgres.ISql,
  tenant: TenantId,
  subjects: readonly SubjectId[],
): Promise<ReadonlySet<SubjectId>> {
  const rows = await sql<{ subject: SubjectId }[]>`
    select distinct encode(uuid_send(subject), 'hex') as subject
    from troth.canary_subjects
    where tenant = ${tenant} and subject = any (${[...subjects]}::uuid[])`;
  return new Set(rows.map(({ subject }) => subject));
}
