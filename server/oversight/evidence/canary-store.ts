import type postgres from 'postgres';
import type { SubjectId, TenantId } from '#base/ids';
import type { PolicyInForce } from '#core/policy';
import { archiveDatabaseOf, eventTablesOf, schemaOf, type TenantTx } from '#core/tenancy';
import type { Events } from '#platform/events';

const CANARIES_MAX = 100_000;
/** In one statement, whose parameters stand in an address. */
const CANARIES_AT_ONCE = 20_000;
const SEEDS_MAX = 1_000;
/** What was accepted may still be on its way into its table: it is removed once more after that. */
const ON_THE_WAY = '5 minutes';

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

type Queries = Pick<Events, 'command' | 'query'>;

/** The tables of events, and of archived ones where there are any. */
async function placesOf(events: Queries, { tenant, policy }: PolicyInForce) {
  const active = eventTablesOf(tenant, policy);
  const archived = await events.query<{ database: string; table: string }>(
    `select database, name as table
     from system.tables
     where database = {database:String} and name in {tables:Array(String)}`,
    { database: archiveDatabaseOf(tenant), tables: active.map(({ table }) => table) },
  );
  return [...active, ...archived];
}

/** The number that the prover of a seed holds locked for as long as it lives. */
const LOCK = `('x' || encode(substr(seed, 1, 8), 'hex'))::bit(64)::bigint`;

/**
 * Puts a seed on record before the first name that follows from it is used.
 *
 * @param session  one connection, kept open: while it lives, the seed counts as in use.
 */
export async function noteSeed(
  session: postgres.Sql,
  tenant: TenantId,
  seed: Buffer,
): Promise<void> {
  await session`
    select pg_advisory_lock(${session.unsafe(LOCK)})
    from (select ${seed}::bytea as seed) as own`;
  await session`
    insert into troth.canary_seeds (seed, tenant, noted_at)
    values (${seed}, ${tenant}, clock_timestamp())`;
}

export type Seeded = {
  readonly seed: Buffer;
  readonly tenant: TenantId;
  /** How many of it were named; unknown of a prover that was killed. */
  readonly people: number | null;
  readonly subjects: readonly SubjectId[];
  /** What its canaries left was removed before, and what came late is now. */
  readonly again: boolean;
};

/** The seeds of provers that live no more, also of killed ones, where something may be left. */
export async function readEnded(sql: postgres.Sql): Promise<Seeded[]> {
  return sql.begin(
    (tx) => tx<Seeded[]>`
      select seed, tenant, people, removed_at is not null as again,
             array(
               select encode(uuid_send(subject), 'hex')
               from troth.canary_subjects as named
               where named.seed = seeds.seed) as subjects
      from troth.canary_seeds as seeds
      where (removed_at is null or removed_at < clock_timestamp() - ${ON_THE_WAY}::interval)
        and pg_try_advisory_xact_lock(${tx.unsafe(LOCK)})
      order by noted_at
      limit ${SEEDS_MAX}`,
  );
}

const among = (sql: postgres.ISql, seeds: readonly Buffer[]) => sql`
  encode(seed, 'hex') = any (${seeds.map((seed) => Buffer.from(seed).toString('hex'))}::text[])`;

/** Removes every row that canaries of these seeds left in the event tables of their service. */
export async function removeEvents(
  { sql, events }: { readonly sql: postgres.Sql; readonly events: Queries },
  service: PolicyInForce,
  seeds: readonly Buffer[],
): Promise<void> {
  const noted = await sql<{ message: string }[]>`
    select message::text as message
    from troth.canaries
    where tenant = ${service.tenant} and ${among(sql, seeds)}
    limit ${CANARIES_MAX}`;
  const places = noted.length > 0 ? await placesOf(events, service) : [];
  for (let from = 0; from < noted.length; from += CANARIES_AT_ONCE) {
    const some = noted.slice(from, from + CANARIES_AT_ONCE);
    const messages = some.map(({ message }) => BigInt(message));
    for (const { database, table } of places) {
      await events.command(
        `alter table {database:Identifier}.{table:Identifier}
         delete where message in {messages:Array(UInt64)}`,
        { database, table, messages },
      );
    }
  }
}

/** The messages of canaries that may stand in the tables of a service now. */
export async function readCanaries(sql: postgres.Sql, tenant: TenantId): Promise<bigint[]> {
  const noted = await sql<{ message: string }[]>`
    select message::text as message
    from troth.canaries
    where tenant = ${tenant}
    order by noted_at desc
    limit ${CANARIES_AT_ONCE}`;
  return noted.map(({ message }) => BigInt(message));
}

/** Whether each of these messages is a canary's. */
export async function areCanaries(
  sql: postgres.Sql,
  tenant: TenantId,
  messages: readonly bigint[],
): Promise<boolean> {
  const wanted = [...new Set(messages)].map(String);
  const [row] = await sql<{ noted: number }[]>`
    select count(*)::int as noted
    from troth.canaries
    where tenant = ${tenant} and message = any (${wanted}::text[]::numeric[])`;
  return row?.noted === wanted.length;
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

/** Puts on record that what canaries of these seeds left was removed. */
export async function noteRemoved(sql: postgres.Sql, seeds: readonly Buffer[]): Promise<void> {
  await sql`
    update troth.canary_seeds
    set removed_at = clock_timestamp()
    where ${among(sql, seeds)}`;
}

/** Forgets seeds of which nothing can be left; not while a demand of theirs is being walked. */
export async function dropSeeds(sql: postgres.Sql, seeds: readonly Buffer[]): Promise<void> {
  await sql`delete from troth.canaries where ${among(sql, seeds)}`;
  await sql`
    delete from troth.canary_seeds as ended
    where ${among(sql, seeds)}
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

/**
 * Removes the demands that proofs made for canaries: no service is to answer for them, and the next
 * start does not make demands again of what the forget journal says of them.
 */
export async function removeDemands(
  sql: postgres.Sql,
  tenant: TenantId,
  subjects: readonly SubjectId[],
): Promise<void> {
  const whose = sql`tenant = ${tenant} and subject = any (${[...subjects]}::uuid[])`;
  // What is being walked is left until it has come to its end.
  const still = sql`state in ('done', 'undone', 'hidden', 'held')`;
  await sql.begin(async (tx) => {
    await tx`
      insert into troth.forget_spared (tenant, subject)
      select ${tenant}, subject from unnest(${[...subjects]}::uuid[]) as canaries (subject)
      on conflict do nothing`;
    await tx`delete from troth.erasures where ${whose} and ${still}`;
    await tx`delete from troth.holds where ${whose}`;
    await tx`
      delete from troth.hidden_subjects as hidden
      where ${whose} and not exists (
        select 1 from troth.erasure_subjects as open
        where open.tenant = hidden.tenant and open.subject = hidden.subject)`;
  });
}

/**
 * Who of these people is a canary, and on which port of this machine its proof listens, if it does:
 * at the boundary where people are told of others.
 */
export async function canariesAmong(
  sql: postgres.ISql,
  tenant: TenantId,
  subjects: readonly SubjectId[],
): Promise<ReadonlyMap<SubjectId, number | null>> {
  const rows = await sql<{ subject: SubjectId; listens: number | null }[]>`
    select encode(uuid_send(subject), 'hex') as subject, max(listens) as listens
    from troth.canary_subjects
    where tenant = ${tenant} and subject = any (${[...subjects]}::uuid[])
    group by subject`;
  return new Map(rows.map(({ subject, listens }) => [subject, listens]));
}
