import { type CompiledData, type CompiledField, limitInWords } from '@troth/policy-language';
import type { Clock } from '#base/clock';
import type {
  Counted,
  DataMap,
  DataTypeView,
  JobView,
  RowCounter,
  ServiceInForce,
} from './model.ts';

type Processing = {
  readonly name: string;
  readonly use: string;
  readonly every?: string | undefined;
};
type Sources = {
  counters: readonly RowCounter[];
  clock: Clock;
  jobs: readonly Processing[];
};

const KEPT_MS = 5_000;
/** Places that another party's system fills: all others are filled by the service and its people. */
const OTHERS: ReadonlySet<string> = new Set(['webhooks', 'connectors']);

function retention({ retain, tiers }: CompiledData): DataTypeView['retain'] {
  const archived = tiers?.archive ? `${limitInWords(tiers.active)} in use, then archived: ` : '';
  return { text: archived + limitInWords(retain), limitMs: retain.milliseconds };
}

function fieldView({ name, type, choices, seal }: CompiledField): DataTypeView['fields'][number] {
  return { name, type: choices ? `one of ${choices.join(', ')}` : type, sealed: seal };
}

const whyUncounted = (operator: boolean, from: string) =>
  !operator ? null : from === 'events' ? 'its table is not there' : 'not produced by this version';

function view(
  compiled: CompiledData,
  { policy }: ServiceInForce,
  seen: { counted: ReadonlyMap<string, Counted> | null; now: Date },
): DataTypeView | null {
  const { id } = compiled;
  const type = policy.data[id];
  if (!type) return null;
  const found = seen.counted?.get(id);
  const oldestAt = found?.oldestAt ?? null;
  return {
    id,
    title: type.title,
    from: type.from,
    party: OTHERS.has(type.from.split('.', 1)[0] ?? '') ? 'other' : 'first',
    categories: type.categories,
    purposes: type.purposes.map((purpose) => {
      const declared = policy.purposes[purpose];
      return {
        id: purpose,
        title: declared?.title ?? purpose,
        basis: declared?.basis ?? 'undeclared',
      };
    }),
    retain: retention(compiled),
    key: type.key,
    fields: Object.values(compiled.fields).map(fieldView),
    store: found?.store ?? null,
    rows: found?.rows ?? null,
    oldestAt: oldestAt?.toISOString() ?? null,
    oldestAgeMs: oldestAt ? Math.max(0, seen.now.getTime() - oldestAt.getTime()) : null,
    uncounted: found ? null : whyUncounted(seen.counted !== null, type.from),
  };
}

/** The purpose whose use this is, or is part of; the nearest where several are. */
function purposeOf(use: string, { policy }: ServiceInForce): JobView['purpose'] {
  const fitting = Object.entries(policy.purposes)
    .filter(([, declared]) => `${use}.`.startsWith(`${declared.use}.`))
    .sort(([, a], [, b]) => b.use.length - a.use.length);
  const [found] = fitting;
  return found ? { id: found[0], title: found[1].title ?? found[0] } : null;
}

/**
 * Opens the data map: every declared type with its purposes and its limit, the work that comes
 * round by itself and what for, and, for an operator, how many rows each store holds now and how
 * old the oldest is.
 *
 * Counts are kept for five seconds for each service, so that a watched map loads no engine.
 */
export function openDataMap({ counters, clock, jobs }: Sources) {
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

  /** @param operator  Without one nothing is counted: a service's figures are not public. */
  return async (service: ServiceInForce, operator: boolean): Promise<DataMap> => {
    const rows = operator ? await counted(service) : null;
    const now = clock.now();
    const types = Object.values(service.policy.compiled.data)
      .map((type) => view(type, service, { counted: rows, now }))
      .filter((type) => type !== null);
    const work = jobs.map(({ name, use, every = null }) => ({
      name,
      every,
      purpose: purposeOf(use, service),
    }));
    return { operator, countedAt: rows ? now.toISOString() : null, types, jobs: work };
  };
}
