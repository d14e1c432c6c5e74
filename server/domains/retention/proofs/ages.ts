/**
 * Rows from earlier times, planted in every table of events, and what the sweep that runs as its
 * schedule would leaves of them: one sweep a round, for all proofs of a service.
 */
import { type Look, placesOf } from '#core/looking';
import { term } from '#core/promises';
import { type Promised, promisedFor } from './promised.ts';
import { lifeIn, placesToTry } from './regions.ts';

const DAY_MS = 86_400_000;
/** So much before its limit a row must be gone: it would reach it before anybody looked again. */
const EARLY_MS = 5 * 60_000;
/** A row of nearly the whole age must be there: a sweep that takes it early is no limit kept. */
const NEARLY = 0.97;
/** What has no limit is there however old it is. */
const VERY_OLD_MS = 3_650 * DAY_MS;
const SWEPT_WITHIN_MS = 50_000;

type Tier = 'active' | 'archive';

export type Row = {
  readonly message: string;
  readonly planted: Tier;
  /** Where it is from; empty where that is not known. */
  readonly country: string;
  readonly ageMs: number;
  /** Of an age at which it must have left its tier. */
  readonly isPast: boolean;
  /** Where it is after the sweep. */
  readonly found: readonly Tier[];
};

export type Aged = {
  readonly promised: Promised;
  readonly rows: readonly Row[];
  /** Of the oldest row that nobody planted, in milliseconds; `undefined` where there is none. */
  readonly oldestMs: number | undefined;
  /** A row that nobody planted and that is older than what holds where it is from. */
  readonly overdue: { readonly ageMs: number; readonly limitMs: number } | undefined;
  readonly sweptAt: Date | undefined;
};

export type Swept = {
  readonly types: ReadonlyMap<string, Aged>;
  /** Whether the sweep ran to its end when it was asked for. */
  readonly ran: boolean;
};

type Age = Pick<Row, 'planted' | 'ageMs' | 'isPast'>;

const around = (planted: Tier, limitMs: number): Age[] => [
  { planted, ageMs: limitMs - EARLY_MS, isPast: true },
  { planted, ageMs: limitMs * NEARLY, isPast: false },
];

/** The ages to plant in each tier. */
function agesOf({ totalMs, activeMs }: Promised): readonly Age[] {
  if (totalMs === undefined) return [{ planted: 'active', ageMs: VERY_OLD_MS, isPast: false }];
  if (activeMs === undefined) return around('active', totalMs);
  return [...around('active', activeMs), ...around('archive', totalMs)];
}

type Planted = Omit<Row, 'found'>;

async function plant(look: Look, promised: Promised): Promise<Planted[]> {
  const now = (await look.now()).getTime();
  const rows: Planted[] = [];
  const { dataType, rules, totalMs } = promised;
  // A sweep may spare the rows of one place; that it takes none too early, one row shows.
  const places = placesToTry(rules, totalMs);
  for (const { planted, ageMs, isPast } of agesOf(promised)) {
    const at = [new Date(now - ageMs)];
    for (const country of isPast ? places : places.slice(0, 1)) {
      const [message = ''] = await look.canaries.backdated(dataType, at, planted, country);
      rows.push({ message, planted, country, ageMs, isPast });
    }
  }
  return rows;
}

async function tablesOf({ query }: Look, databases: readonly string[]): Promise<Set<string>> {
  const rows = await query<{ place: string }>(
    `select database || '.' || name as place
     from system.tables
     where database in {databases:Array(String)}`,
    { databases },
  );
  return new Set(rows.map(({ place }) => place));
}

/** In which tiers each of these rows is. */
export async function whereAre(
  look: Look,
  table: string,
  messages: readonly string[],
): Promise<Map<string, Tier[]>> {
  const databases = placesOf(look);
  const there = await tablesOf(look, Object.values(databases));
  const found = new Map<string, Tier[]>();
  for (const tier of ['active', 'archive'] as const) {
    if (!there.has(`${databases[tier]}.${table}`)) continue;
    const rows = await look.query<{ message: string }>(
      `select distinct toString(rows.message) as message
       from {database:Identifier}.{table:Identifier} as rows
       where rows.message in {messages:Array(UInt64)}`,
      { database: databases[tier], table, messages: messages.map(BigInt) },
    );
    for (const { message } of rows) found.set(message, [...(found.get(message) ?? []), tier]);
  }
  return found;
}

/** How old the oldest rows are that are no canary's, country by country, in any tier. */
async function oldestOf(
  look: Look,
  table: string,
): Promise<readonly (readonly [string, number])[]> {
  const databases = placesOf(look);
  const there = await tablesOf(look, Object.values(databases));
  const noted = await look.sql<{ message: string }[]>`
    select message::text as message from troth.canaries where tenant = ${look.tenant}`;
  const messages = noted.map(({ message }) => BigInt(message));
  const ages: (readonly [string, number])[] = [];
  const now = (await look.now()).getTime();
  for (const database of Object.values(databases)) {
    if (!there.has(`${database}.${table}`)) continue;
    const rows = await look.query<{ place: string; oldest: string }>(
      `select toString(country) as place, toUnixTimestamp64Milli(min(received_at)) as oldest
       from {database:Identifier}.{table:Identifier}
       where message not in {messages:Array(UInt64)}
       group by place`,
      { database, table, messages },
    );
    for (const { place, oldest } of rows) ages.push([place, now - Number(oldest)]);
  }
  return ages;
}

/** What of that is remarkable: the oldest of all, and one that should not be there any more. */
async function othersOf(look: Look, { table, totalMs, rules }: Promised) {
  const ages = await oldestOf(look, table);
  const overdue = ages
    .map(([country, ageMs]) => ({ ageMs, limitMs: lifeIn(rules, country, totalMs) }))
    .find(({ ageMs, limitMs }) => limitMs !== undefined && ageMs > limitMs);
  return {
    oldestMs: ages.length > 0 ? Math.max(...ages.map(([, ageMs]) => ageMs)) : undefined,
    overdue: overdue && { ageMs: overdue.ageMs, limitMs: overdue.limitMs ?? 0 },
  };
}

async function latestSweep({ sql, tenant }: Look, dataType: string): Promise<Date | undefined> {
  const [row] = await sql<{ at: Date | null }[]>`
    select max(swept_at) as at
    from troth.sweeps
    where tenant = ${tenant} and data_type = ${dataType}`;
  return row?.at ?? undefined;
}

async function sweepOnce(look: Look): Promise<Swept> {
  const promised = await Promise.all(
    look.canaries.eventTypes.map((dataType) => promisedFor(look, dataType)),
  );
  const planted: { promised: Promised; rows: Planted[] }[] = [];
  for (const one of promised) {
    if (one) planted.push({ promised: one, rows: await plant(look, one) });
  }
  const ran = await look.job('retention.sweep', SWEPT_WITHIN_MS).then(
    () => true,
    () => false,
  );
  const types = new Map<string, Aged>();
  for (const { promised: one, rows } of planted) {
    const messages = rows.map(({ message }) => message);
    const found = await whereAre(look, one.table, messages);
    types.set(one.dataType, {
      promised: one,
      rows: rows.map((row) => ({ ...row, found: found.get(row.message) ?? [] })),
      ...(await othersOf(look, one)),
      sweptAt: await latestSweep(look, one.dataType),
    });
  }
  return { types, ran };
}

/** The sweep of this round, over rows of every age that matters. */
export const swept = (look: Look): Promise<Swept> => look.once('swept', sweepOnce);

/** Of one type: those past a limit that must be gone, and the one before it that must be there. */
export const pastAndBefore = ({ rows }: Aged, tier: Tier) => {
  const all = rows.filter(({ planted }) => planted === tier);
  return { past: all.filter(({ isPast }) => isPast), before: all.find(({ isPast }) => !isPast) };
};

/** Where a row is from, as it may be told. */
export const placeOf = ({ country }: Row) => term(country || 'an unknown place');
