/**
 * Runs proofs: every one that stands for a promise of a policy in force, once for each control and
 * binding, however many sentences are bound to it.
 */
import type { Policy } from '@troth/policy-language';
import { canonicalJson } from '#base/canonical-json';
import type { TenantId } from '#base/ids';
import { Problem } from '#base/problem';
import type { PolicyInForce } from '#core/policy';
import { type Binding, gap, type Proof, type Seen, saw, span, term } from '#core/promises';
import { configured } from './configured.ts';
import type { Ground } from './ground.ts';
import { lookAt } from './look.ts';
import type { Wanted } from './outlook.ts';

/** One thing to prove, and the promises that stand on it. */
export type Unit = {
  readonly service: PolicyInForce;
  readonly proof: Proof;
  readonly binding: Binding;
  readonly promises: readonly string[];
};

export type Finding = Seen & {
  readonly tenant: TenantId;
  readonly revision: number;
  readonly promises: readonly string[];
  readonly control: string;
  readonly strength: Proof['strength'];
  readonly blindTo: string;
  /** ISO 8601, of the prover's clock: only for showing. */
  readonly at: string;
  readonly tookMs: number;
};

const TIMEOUT_MS = 60_000;
const AT_ONCE = 6;

type Row = Policy['promises'][number];

/** A promise that is bound to a control and to values is kept when both are. */
const withValues = (proof: Proof, paths: readonly string[]): Proof => ({
  ...proof,
  async prove(look, { paths: _, ...binding }) {
    const seen = await proof.prove(look, binding);
    if (seen.state !== 'kept') return seen;
    const values = await configured.prove(look, { paths });
    return values.state === 'kept' ? seen : values;
  },
});

/** The proof that fits a promise, and what it is bound with. */
function proofOf(row: Row, proofs: ReadonlyMap<string, Proof>) {
  const paths = [row.config ?? []].flat();
  if (row.control) {
    const proof = proofs.get(row.control);
    const binding = row.with ?? {};
    if (!proof || paths.length === 0) return proof && { proof, binding };
    return { proof: withValues(proof, paths), binding: { ...binding, paths } };
  }
  return paths.length > 0 ? { proof: configured, binding: { paths } } : undefined;
}

/** What there is to prove, in the order of the documents. */
export function unitsOf(
  services: readonly PolicyInForce[],
  proofs: readonly Proof[],
  { tenant, promise, control }: Wanted = {},
): Unit[] {
  const byControl = new Map(proofs.map((proof) => [proof.control as string, proof]));
  const units = new Map<string, Unit & { promises: string[] }>();
  for (const service of services) {
    if (tenant !== undefined && service.tenant !== tenant) continue;
    for (const row of service.policy.promises) {
      if (promise !== undefined && row.id !== promise) continue;
      const found = proofOf(row, byControl);
      if (!found) continue;
      const { proof, binding } = found;
      if (control !== undefined && proof.control !== control) continue;
      const name = canonicalJson([service.tenant, proof.control, binding as never]);
      const unit = units.get(name) ?? { service, proof, binding, promises: [] };
      unit.promises.push(row.id);
      units.set(name, unit);
    }
  }
  return [...units.values()];
}

const late = (signal: AbortSignal, timeoutMs: number) =>
  new Promise<Seen>((done) => {
    signal.addEventListener('abort', () => done(gap(saw`it took longer than ${span(timeoutMs)}`)));
  });

/** The code or the kind of an error, never its message: that may quote a value. */
function kindOf(error: unknown): string {
  if (error instanceof Problem) return error.code;
  return error instanceof Error ? error.name : 'something else than an error was thrown';
}

/** Runs one proof. Whatever goes wrong in it is a gap. */
export async function proveOne(
  ground: Ground,
  unit: Unit,
  timeoutMs = TIMEOUT_MS,
): Promise<Finding> {
  const { service, proof, binding } = unit;
  const began = performance.now();
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), timeoutMs);
  let seen: Seen;
  try {
    const looking = proof.prove(lookAt(ground, service, ending.signal), binding);
    seen = await Promise.race([looking, late(ending.signal, timeoutMs)]);
    // What takes long began with the round.
    const since = proof.prepare ? Number.NEGATIVE_INFINITY : began;
    if (seen.state === 'broken' && (await ground.readiness.unreadySince(since))) {
      seen = gap(saw`the server was not ready while it looked, or an engine of it was away`);
    }
  } catch (error) {
    seen = gap(saw`it could not look: ${term(kindOf(error))}`);
  } finally {
    clearTimeout(timer);
    ending.abort();
  }
  return findingOf(unit, seen, Math.round(performance.now() - began));
}

function findingOf({ service, proof, promises }: Unit, seen: Seen, tookMs: number): Finding {
  return {
    ...seen,
    tenant: service.tenant,
    revision: service.revision,
    promises,
    control: proof.control,
    strength: proof.strength,
    blindTo: proof.blindTo,
    at: new Date().toISOString(),
    tookMs,
  };
}

/** The finding about what a prover that died, or hung, did not come to. */
export const notLooked = (unit: Unit): Finding =>
  findingOf(unit, gap(saw`the prover ended before it had looked`), 0);

/** The finding about what no prover could be sent to, and what stood in its way. */
export const couldNotLook = (unit: Unit, error: unknown): Finding =>
  findingOf(unit, gap(saw`it could not look: ${term(kindOf(error))}`), 0);

/** Begins what takes long. What goes wrong in it the proof hears of, which asks for the same. */
function begin(ground: Ground, { service, proof }: Unit): void {
  const look = lookAt(ground, service, AbortSignal.timeout(TIMEOUT_MS));
  proof.prepare?.(look).catch(() => undefined);
}

/** Runs proofs, a few at once, and hands out each finding as it is made. */
export async function* prove(ground: Ground, units: readonly Unit[]): AsyncGenerator<Finding> {
  const prepared = units.filter(({ proof }) => proof.prepare);
  for (const unit of prepared) begin(ground, unit);
  const waiting = [...units.filter(({ proof }) => !proof.prepare), ...prepared];
  const running = new Map<Unit, Promise<{ unit: Unit; finding: Finding }>>();
  while (waiting.length > 0 || running.size > 0) {
    while (running.size < AT_ONCE && waiting.length > 0) {
      const unit = waiting.shift() as Unit;
      running.set(
        unit,
        proveOne(ground, unit).then((finding) => ({ unit, finding })),
      );
    }
    const { unit, finding } = await Promise.race(running.values());
    running.delete(unit);
    yield finding;
  }
}
