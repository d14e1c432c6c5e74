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
import type { Database } from '#platform/database';
import { EVERYBODY, type Load, loader, namer } from './loading.ts';
import { ConsentMemory } from './memory.ts';
import { type Conflict, conflictName, type Decision, type Signals } from './model.ts';
import { decidePurpose, optOutsOf, rulesOf } from './rules.ts';

const CHANNEL = 'troth_consent';
const BEAT = 'beat';

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
  /** What the signals of a request say no to for a person, and what is not on record yet. */
  optOuts(question: Omit<Question, 'purpose' | 'region'>): Conflict[];
  /** Makes these people's decisions ready; `undefined` when there is nothing to wait for. */
  readonly load: Load;
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
    spoil(EVERYBODY);
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

  const stateOf = (tenant: TenantId, subject: SubjectId | undefined) =>
    subject === undefined ? undefined : (memory.get(nameOf(tenant, subject)) ?? 'unknown');

  return {
    load,
    decide({ policy: { tenant, policy }, purpose, subject, signals, region }) {
      const state = stateOf(tenant, subject);
      const now = clock.now().getTime();
      return decidePurpose(rulesOf(policy), purpose, { subject, state, signals, region, now });
    },
    optOuts({ policy: { tenant, policy }, subject, signals }) {
      const state = stateOf(tenant, subject);
      const now = clock.now().getTime();
      return optOutsOf(rulesOf(policy), { subject, state, signals, now });
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
