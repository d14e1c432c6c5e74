import { DataTypeId, Word } from '#base/ids';
import { Problem } from '#base/problem';
import { appendAudit, recordRefusal } from '#core/audit';
import { type Actor, authorize, type PolicyInForce } from '#core/policy';
import { eventTableOf, loginOf, purposeViewOf } from '#core/tenancy';
import type { Database } from '#platform/database';
import type { PurposeReader } from '#platform/events';
import { purposeProblem } from './errors.ts';
import type { ReadRow } from './journeys.ts';
import { type People, purposeStated, shownRows, withinTime } from './shown-rows.ts';

export type Reading = {
  readonly actor: Actor;
  /** A purpose that the policy declares, or one of its other names. */
  readonly purpose?: string | undefined;
  readonly dataType: string;
  /** At most 1,000. */
  readonly limit: number;
  /** Only what was received from then on. Default: from the first. */
  readonly from?: Date | undefined;
  /** Only what was received before. Default: to the last. */
  readonly until?: Date | undefined;
  readonly now: Date;
};

export type ReadingNeeds = People & {
  readonly db: Database;
  readonly reader: PurposeReader;
};

const LIMIT_MAX = 1_000;
const [FIRST, LAST] = [new Date(0), new Date(8_640_000_000_000_000)];
/** What ClickHouse answers to a login that may not see: denied, or no such view or database. */
const HIDDEN: ReadonlySet<unknown> = new Set([497, 60, 81]);

/**
 * Reads events of one type for one purpose, newest first, under the purpose's own login: whether
 * the data is for the purpose is decided by the engine, and whether a person's is by that person.
 * Whose row it is, is said only where the policy lets people be followed. The reading is on record,
 * a refusal too.
 *
 * @throws Problem purpose-not-stated, purpose-not-declared, purpose-not-for-data, data-not-read,
 *         forbidden, events-unavailable.
 */
export async function readEvents(
  needs: ReadingNeeds,
  inForce: PolicyInForce,
  reading: Reading,
): Promise<ReadRow[]> {
  const { db } = needs;
  const { tenant } = inForce;
  const { actor, now } = reading;
  try {
    return await readPermitted(needs, inForce, reading);
  } catch (thrown) {
    if (thrown instanceof Problem && (thrown.status === 403 || thrown.status === 404)) {
      const code = Word(thrown.code);
      await recordRefusal(db, { tenant, actor, action: 'event.read', code, now });
    }
    throw thrown;
  }
}

async function readPermitted(
  { db, reader, ...people }: ReadingNeeds,
  inForce: PolicyInForce,
  { actor, purpose: name, dataType, limit, from, until, now }: Reading,
): Promise<ReadRow[]> {
  const { tenant, policy } = inForce;
  const purpose = purposeStated(policy, name);
  const facts = { purpose };
  const permit = authorize(inForce, actor, 'event.read', facts);
  if (!Object.hasOwn(policy.data, dataType) || policy.data[dataType]?.from !== 'events')
    throw purposeProblem('data-not-read', 'Name a data type that is made of events.');
  const login = await loginOf(db, tenant, purpose);
  if (login === undefined)
    throw purposeProblem('purpose-not-for-data', 'The purpose has no login yet.');
  const read = await asPurpose(reader, login, {
    ...purposeViewOf(login, eventTableOf(tenant, policy, dataType)),
    limit: Math.min(limit, LIMIT_MAX),
    from: withinTime(from ?? FIRST),
    until: withinTime(until ?? LAST),
  });
  const rows = await shownRows(people, inForce, { purpose, read });
  const fields = { ...facts, data: DataTypeId(dataType), rows: rows.length };
  await db.sql.begin((tx) =>
    appendAudit(Object.assign(tx, { now }), permit, { event: 'events.read', fields }),
  );
  return rows;
}

/** @throws Problem purpose-not-for-data: the engine hides the data from this purpose. */
async function asPurpose(
  reader: PurposeReader,
  login: number,
  params: { database: string; view: string; limit: number; from: number; until: number },
): Promise<ReadRow[]> {
  try {
    return await reader.query<ReadRow>(
      login,
      `select *
       from {database:Identifier}.{view:Identifier}
       where received_at >= fromUnixTimestamp64Milli({from:Int64})
         and received_at < fromUnixTimestamp64Milli({until:Int64})
       order by received_at desc
       limit {limit:UInt32}`,
      params,
    );
  } catch (thrown) {
    if (thrown instanceof Problem && HIDDEN.has(thrown.fields['engineCode']))
      throw purposeProblem('purpose-not-for-data', 'The event store hides this data from it.');
    throw thrown;
  }
}
