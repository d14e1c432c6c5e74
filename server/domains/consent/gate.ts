/**
 * The gate: whether something may be done for a purpose, answered from memory without waiting.
 *
 * `load` makes people's decisions ready, many in one query; a change anywhere lets go of them. A
 * listener that has gone deaf is noticed by its own heartbeat, and everything is let go of then:
 * a withdrawal is overlooked for no longer than two beats, also when a connection dies silently.
 */
import type { Clock } from '#base/clock';
import type { SubjectId, TenantId } from '#base/ids';
import type { PolicyInForce } from '#core/policy';
import { inTenant, schemaOf } from '#core/tenancy';
import type { Database } from '#platform/database';
import { ConsentMemory } from './memory.ts';
import { type Conflict, conflictName, type Decision, type Signals } from './model.ts';
import { decidePurpose, rulesOf } from './rules.ts';
import { readStates } from './store.ts';

const CHANNEL = 'troth_consent';
const BEAT = 'beat';
const LOADS_AGAIN_MAX = 3;

export type Question = {
  readonly policy: Pick<PolicyInForce, 'tenant' | 'policy'>;
  readonly purpose: string;
  readonly subject: SubjectId | undefined;
  readonly signals: Signals;
  /** Country or union; '' where it was not found, left out where regions play no part. */
  readonly region?: string | undefined;
};

export type ConsentGate = {
  /** From memory. A person whose decisions are not loaded counts as one who said no. */
  decide(question: Question): Decision;
  /** Makes these people's decisions ready; `undefined` when there is nothing to wait for. */
  load(tenant: TenantId, subjects: readonly SubjectId[]): Promise<void> | undefined;
  /** Lets go of one person's decisions, here; other servers hear of it from the database. */
  forget(tenant: TenantId, subject: SubjectId): void;
  /** Marks overrulings as recorded, so that `decide` returns them no more. */
  note(tenant: TenantId, conflicts: readonly Conflict[]): void;
  close(): Promise<void>;
};

export type GateOptions = {
  readonly db: Pick<Database, 'sql' | 'contextKey'>;
  readonly clock: Clock;
  /** People held in memory, in each of two generations. Default 100,000. */
  readonly subjectsMax?: number;
  /** Default 5 s. */
  readonly beatMilliseconds?: number;
};

type Waiting = { wanted: Set<SubjectId>; loaded: Promise<void> };

/** Names a person across tenants, as the trigger in the migration does. */
function namer() {
  const prefixes = new Map<TenantId, string>();
  return (tenant: TenantId, subject: SubjectId): string => {
    let prefix = prefixes.get(tenant);
    if (prefix === undefined) {
      prefix = `${schemaOf(tenant)}/`;
      prefixes.set(tenant, prefix);
    }
    return prefix + subject;
  };
}

/** One query at a time for each tenant; whoever comes meanwhile shares the next one. */
function loader(
  { db, clock }: GateOptions,
  memory: ConsentMemory,
  nameOf: ReturnType<typeof namer>,
) {
  const running = new Map<TenantId, Promise<void>>();
  const waiting = new Map<TenantId, Waiting>();
  /** What changed while a query was under way: its answer may be from before the change. */
  const changed = new Set<Set<string>>();

  async function query(tenant: TenantId, wanted: readonly SubjectId[]): Promise<void> {
    let missing = wanted;
    for (let attempt = 0; attempt < LOADS_AGAIN_MAX && missing.length > 0; attempt += 1) {
      const meanwhile = new Set<string>();
      changed.add(meanwhile);
      try {
        const scope = { tenant, now: clock.now() };
        const states = await inTenant(db, scope, (tx) => readStates(tx, missing));
        const isStale = (subject: SubjectId) =>
          meanwhile.has(BEAT) || meanwhile.has(nameOf(tenant, subject));
        for (const [subject, state] of states) {
          if (!isStale(subject)) memory.set(nameOf(tenant, subject), state);
        }
        missing = missing.filter(isStale);
      } finally {
        changed.delete(meanwhile);
      }
    }
  }

  function start(tenant: TenantId, wanted: readonly SubjectId[]): Promise<void> {
    const work = query(tenant, wanted).finally(() => running.delete(tenant));
    running.set(tenant, work);
    return work;
  }

  function load(tenant: TenantId, subjects: readonly SubjectId[]): Promise<void> | undefined {
    const missing = subjects.filter((subject) => !memory.touch(nameOf(tenant, subject)));
    if (missing.length === 0) return undefined;
    const busy = running.get(tenant);
    if (!busy) return start(tenant, [...new Set(missing)]);
    let next = waiting.get(tenant);
    if (!next) {
      const wanted = new Set<SubjectId>();
      const loaded = busy
        .catch(() => undefined)
        .then(() => {
          waiting.delete(tenant);
          return start(tenant, [...wanted]);
        });
      next = { wanted, loaded };
      waiting.set(tenant, next);
    }
    for (const subject of missing) next.wanted.add(subject);
    return next.loaded;
  }

  return {
    load,
    /** `BEAT` stands for everybody. */
    spoil: (name: string) => {
      for (const meanwhile of changed) meanwhile.add(name);
    },
  };
}

/** Opens the gate and begins to listen. */
export async function openGate(options: GateOptions): Promise<ConsentGate> {
  const { db, clock, subjectsMax = 100_000, beatMilliseconds = 5_000 } = options;
  const memory = new ConsentMemory(subjectsMax);
  const nameOf = namer();
  const { load, spoil } = loader(options, memory, nameOf);
  let heard = true;
  const letGo = (name: string) => {
    memory.forget(name);
    spoil(name);
  };
  const letGoOfAll = () => {
    memory.clear();
    spoil(BEAT);
  };
  const hear = (payload: string) => {
    heard = true;
    if (payload !== BEAT) letGo(payload);
  };
  // After a lost connection the notices in between are lost too.
  const listening = await db.sql.listen(CHANNEL, hear, letGoOfAll);
  const beat = setInterval(() => {
    if (!heard) letGoOfAll();
    heard = false;
    db.sql.notify(CHANNEL, BEAT).catch(letGoOfAll);
  }, beatMilliseconds);
  beat.unref();

  return {
    load,
    decide({ policy: { tenant, policy }, purpose, subject, signals, region }) {
      const known = subject === undefined ? undefined : memory.get(nameOf(tenant, subject));
      const state = subject === undefined ? undefined : (known ?? 'unknown');
      const now = clock.now().getTime();
      return decidePurpose(rulesOf(policy), purpose, { subject, state, signals, region, now });
    },
    forget: (tenant, subject) => letGo(nameOf(tenant, subject)),
    note(tenant, conflicts) {
      for (const conflict of conflicts) {
        memory.get(nameOf(tenant, conflict.subject))?.noted.add(conflictName(conflict));
      }
    },
    async close() {
      clearInterval(beat);
      await listening.unlisten();
    },
  };
}
