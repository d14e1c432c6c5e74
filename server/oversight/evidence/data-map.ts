import type { PolicyDocument } from '@troth/policy-language';
import type { Clock } from '#base/clock';
import type { Counted, DataMap, DataTypeView, RowCounter, ServiceInForce } from './model.ts';

type DataType = PolicyDocument['data'][string];
type Field = NonNullable<DataType['fields']>[string];

/** Turns "P90D" into milliseconds; null for the words of time that are not a length. */
export type DurationMs = (text: string) => number | null;

type Sources = {
  counters: readonly RowCounter[];
  clock: Clock;
  durationMs: DurationMs;
};

const KEPT_MS = 5_000;

function retention(type: DataType, durationMs: DurationMs): DataTypeView['retain'] {
  const { retain } = type;
  if (retain === undefined) return { text: 'no limit', limitMs: null };
  if (typeof retain === 'string') return { text: retain, limitMs: durationMs(retain) };
  const tiers = Object.entries(retain).map(([name, limit]) => `${name} ${String(limit)}`);
  const whole = retain.total ?? retain.active;
  return { text: tiers.join(', '), limitMs: durationMs(whole) };
}

function fieldView(name: string, field: Field): DataTypeView['fields'][number] {
  if (typeof field === 'string') return { name, type: field, sealed: null };
  const type = field.enum ? `one of ${field.enum.join(', ')}` : (field.type ?? 'string');
  return { name, type, sealed: field.seal ?? null };
}

const whyUncounted = (operator: boolean, from: string) =>
  !operator ? null : from === 'events' ? 'its table is not there' : 'not produced by this version';

function view(
  id: string,
  type: DataType,
  service: ServiceInForce,
  seen: { counted: ReadonlyMap<string, Counted> | null; now: Date; durationMs: DurationMs },
): DataTypeView {
  const found = seen.counted?.get(id);
  const oldestAt = found?.oldestAt ?? null;
  return {
    id,
    title: type.title,
    from: type.from,
    categories: type.categories,
    purposes: type.purposes.map((purpose) => {
      const declared = service.policy.purposes[purpose];
      return {
        id: purpose,
        title: declared?.title ?? purpose,
        basis: declared?.basis ?? 'undeclared',
      };
    }),
    retain: retention(type, seen.durationMs),
    key: type.key,
    fields: Object.entries(type.fields ?? {}).map(([name, field]) => fieldView(name, field)),
    store: found?.store ?? null,
    rows: found?.rows ?? null,
    oldestAt: oldestAt?.toISOString() ?? null,
    oldestAgeMs: oldestAt ? Math.max(0, seen.now.getTime() - oldestAt.getTime()) : null,
    uncounted: found ? null : whyUncounted(seen.counted !== null, type.from),
  };
}

/**
 * Opens the data map: every declared type with its purposes and its limit, and, for an operator,
 * how many rows each store holds now and how old the oldest is.
 *
 * Counts are kept for five seconds for each service, so that watching the map cannot load an engine.
 */
export function openDataMap({ counters, clock, durationMs }: Sources) {
  const kept = new Map<string, { at: number; counted: Promise<ReadonlyMap<string, Counted>> }>();

  async function count(service: ServiceInForce): Promise<ReadonlyMap<string, Counted>> {
    const maps = await Promise.all(counters.map((counter) => counter(service)));
    return new Map(maps.flatMap((map) => [...map]));
  }

  function counted(service: ServiceInForce): Promise<ReadonlyMap<string, Counted>> {
    const now = clock.now().getTime();
    const earlier = kept.get(service.tenant);
    if (earlier && now - earlier.at < KEPT_MS) return earlier.counted;
    const answer = count(service);
    kept.set(service.tenant, { at: now, counted: answer });
    answer.catch(() => kept.delete(service.tenant));
    return answer;
  }

  /** @param operator  Without an operator nothing is counted: figures of a service are not public. */
  return async (service: ServiceInForce, operator: boolean): Promise<DataMap> => {
    const rows = operator ? await counted(service) : null;
    const now = clock.now();
    const types = Object.entries(service.policy.data).map(([id, type]) =>
      view(id, type, service, { counted: rows, now, durationMs }),
    );
    return { operator, countedAt: rows ? now.toISOString() : null, types };
  };
}
