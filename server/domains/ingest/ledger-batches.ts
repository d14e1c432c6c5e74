import type { TenantId } from '#base/ids';
import { eventsDatabaseOf } from '#core/tenancy';
import type { Events } from '#platform/events';

const DAY_MS = 86_400_000;

/** Whether the event store holds a batch: asked where an answer of its own may have been lost. */
export async function isBatchThere(
  events: Events,
  { tenant, table, day }: { tenant: TenantId; table: string; day: number },
  batch: bigint,
): Promise<boolean> {
  const database = eventsDatabaseOf(tenant);
  const from = day * DAY_MS;
  const [found] = await events.query<{ there: number }>(
    `select toUInt8(count() > 0) as there
     from {database:Identifier}.{table:Identifier}
     where received_at >= fromUnixTimestamp64Milli({from:Int64})
       and received_at < fromUnixTimestamp64Milli({to:Int64})
       and batch = {batch:UInt64}`,
    { database, table, from, to: from + DAY_MS, batch: batch.toString() },
  );
  return found?.there === 1;
}
