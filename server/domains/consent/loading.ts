/** Fetching decisions into memory: one query at a time for each tenant, never a stale answer. */
import type { Clock } from '#base/clock';
import type { SubjectId, TenantId } from '#base/ids';
import { inTenant, schemaOf } from '#core/tenancy';
import type { Database } from '#platform/database';
import type { ConsentMemory } from './memory.ts';
import { readStates } from './store.ts';

export type Load = (tenant: TenantId, subjects: readonly SubjectId[]) => Promise<void> | undefined;

type Source = { readonly db: Pick<Database, 'sql' | 'contextKey'>; readonly clock: Clock };
type NameOf = (tenant: TenantId, subject: SubjectId) => string;
type Waiting = { readonly wanted: Set<SubjectId>; readonly loaded: Promise<void> };

/** Stands for every name. */
export const EVERYBODY = '*';
const LOADS_AGAIN_MAX = 3;

/** Names a person across tenants, as the trigger in the migration does. */
export function namer(): NameOf {
  const prefixes = new Map<TenantId, string>();
  return (tenant, subject) => {
    let prefix = prefixes.get(tenant);
    if (prefix === undefined) {
      prefix = `${schemaOf(tenant)}/`;
      prefixes.set(tenant, prefix);
    }
    return prefix + subject;
  };
}

/** Reads into memory; what changed while it was read is read again. */
function reader({ db, clock }: Source, memory: ConsentMemory, nameOf: NameOf) {
  /** Changes heard during each query that is under way: its answer may be from before them. */
  const underWay = new Set<Set<string>>();

  async function read(tenant: TenantId, wanted: readonly SubjectId[]): Promise<void> {
    let missing = wanted;
    for (let attempt = 0; attempt < LOADS_AGAIN_MAX && missing.length > 0; attempt += 1) {
      const changed = new Set<string>();
      underWay.add(changed);
      try {
        const scope = { tenant, now: clock.now() };
        const states = await inTenant(db, scope, (tx) => readStates(tx, missing));
        const isStale = (subject: SubjectId) =>
          changed.has(EVERYBODY) || changed.has(nameOf(tenant, subject));
        for (const [subject, state] of states) {
          if (!isStale(subject)) memory.set(nameOf(tenant, subject), state);
        }
        missing = missing.filter(isStale);
      } finally {
        underWay.delete(changed);
      }
    }
  }

  const spoil = (name: string) => {
    for (const changed of underWay) changed.add(name);
  };
  return { read, spoil };
}

/**
 * Makes `load`, and `spoil`, which tells it that a name (or `EVERYBODY`) has changed. Whoever asks
 * while a query is under way shares the next one, so a busy tenant costs a query at a time.
 */
export function loader(source: Source, memory: ConsentMemory, nameOf: NameOf) {
  const { read, spoil } = reader(source, memory, nameOf);
  const running = new Map<TenantId, Promise<void>>();
  const waiting = new Map<TenantId, Waiting>();

  function start(tenant: TenantId, wanted: ReadonlySet<SubjectId>): Promise<void> {
    const work = read(tenant, [...wanted]).finally(() => running.delete(tenant));
    running.set(tenant, work);
    return work;
  }

  function queue(tenant: TenantId, busy: Promise<void>): Waiting {
    const wanted = new Set<SubjectId>();
    const begin = () => {
      waiting.delete(tenant);
      return start(tenant, wanted);
    };
    // Whoever waited for the query before is told of its failure; this one has a chance of its own.
    const next = { wanted, loaded: busy.then(begin, begin) };
    waiting.set(tenant, next);
    return next;
  }

  const load: Load = (tenant, subjects) => {
    const missing = subjects.filter((subject) => !memory.touch(nameOf(tenant, subject)));
    if (missing.length === 0) return undefined;
    const busy = running.get(tenant);
    if (!busy) return start(tenant, new Set(missing));
    const next = waiting.get(tenant) ?? queue(tenant, busy);
    for (const subject of missing) next.wanted.add(subject);
    return next.loaded;
  };
  return { load, spoil };
}
