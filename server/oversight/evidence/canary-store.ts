import type postgres from 'postgres';
import type { TenantId } from '#base/ids';
import type { PolicyInForce } from '#core/policy';
import { eventTablesOf } from '#core/tenancy';
import type { Events } from '#platform/events';

const CANARIES_MAX = 100_000;
/** What was accepted may still be on its way into its table: it is removed once more after that. */
const ON_THE_WAY = '5 minutes';

/** Puts messages on record before they are sent. */
export async function noteCanaries(
  sql: postgres.Sql,
  tenant: TenantId,
  messages: readonly bigint[],
): Promise<void> {
  await sql`
    insert into troth.canaries (tenant, message, noted_at)
    select ${tenant}, message::numeric, clock_timestamp()
    from unnest(${messages.map(String)}::text[]) as message
    on conflict (tenant, message) do update set noted_at = excluded.noted_at`;
}

type Ground = {
  readonly sql: postgres.Sql;
  readonly events: Pick<Events, 'command'>;
  readonly services: readonly PolicyInForce[];
};

/** Removes every row that canaries left in the event tables, also those of a prover that died. */
export async function removeCanaries({ sql, events, services }: Ground): Promise<void> {
  for (const { tenant, policy } of services) {
    const noted = await sql<{ message: string }[]>`
      select message::text as message
      from troth.canaries
      where tenant = ${tenant}
      limit ${CANARIES_MAX}`;
    if (noted.length === 0) continue;
    const messages = noted.map(({ message }) => BigInt(message));
    for (const { database, table } of eventTablesOf(tenant, policy)) {
      await events.command(
        `alter table {database:Identifier}.{table:Identifier}
         delete where message in {messages:Array(UInt64)}`,
        { database, table, messages },
      );
    }
    await sql`
      delete from troth.canaries
      where tenant = ${tenant} and noted_at < clock_timestamp() - ${ON_THE_WAY}::interval`;
  }
}
