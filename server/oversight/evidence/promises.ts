import type { Policy } from '@troth/policy-language';
import type { Clock } from '#base/clock';
import type {
  LastFound,
  PromiseAnswer,
  PromiseAnswers,
  PromiseCounts,
  ServiceInForce,
} from './model.ts';

/** What the language says about each control, by name. */
export type Catalogue = Readonly<Record<string, { area: string; title: string; probe: string }>>;

type Row = Policy['promises'][number];

const NOT_BUILT = 'No control of this name is built into this version';
const NO_PROOF = 'Enforced; no proof of it is built into this version';
const FIRST_PROOF = 'The first proof under this policy is running';
const NOT_ATTESTED = 'No attestation is on file';
const UNBOUND = 'Bound to no control, no value and no attestation';

export type Known = {
  readonly catalogue: Catalogue;
  /** Names of controls that this version enforces. */
  readonly built: ReadonlySet<string>;
  /** Names of controls that a proof is there for. */
  readonly proven: ReadonlySet<string>;
  /** The last finding about a promise. */
  last(tenant: string, promise: string): LastFound | undefined;
  /** A finding that is older says nothing of today. Milliseconds. */
  readonly staleMs: number;
  readonly clock: Clock;
};

const kindOf = ({ control, config, attest }: Row): PromiseAnswer['kind'] =>
  control ? 'control' : config ? 'config' : attest ? 'attestation' : 'unbound';

/** Whether a probe could ever look at this row in this version. */
const isLookedAt = ({ control, config }: Row, { proven }: Known) =>
  control ? proven.has(control) : config !== undefined;

/** What was found, when it is of the policy in force and of today. */
function freshFinding(row: Row, { tenant, revision }: ServiceInForce, known: Known) {
  const last = known.last(tenant, row.id);
  if (!last || last.revision !== revision || !isLookedAt(row, known)) return undefined;
  const age = known.clock.now().getTime() - last.foundAt.getTime();
  return { last, isStale: age > known.staleMs };
}

/** Why this promise is a gap. Each thing that is missing is named; none is glossed over. */
function reasonFor(row: Row, found: ReturnType<typeof freshFinding>, known: Known): string {
  const reasons: string[] = [];
  if (found?.isStale) reasons.push(`No proof has run since ${found.last.foundAt.toISOString()}`);
  else if (found?.last.state === 'gap') reasons.push(found.last.saw);
  else if (!found && isLookedAt(row, known)) reasons.push(FIRST_PROOF);
  else if (row.control && !known.built.has(row.control)) reasons.push(NOT_BUILT);
  else if (row.control && !found) reasons.push(NO_PROOF);
  if (row.attest) reasons.push(NOT_ATTESTED);
  if (reasons.length === 0) reasons.push(UNBOUND);
  const [first, ...rest] = reasons;
  return [first, ...rest.map((one) => one.charAt(0).toLowerCase() + one.slice(1))].join('; ');
}

/** A promise that also wants somebody's word is never kept by a probe alone. */
function stateOf(row: Row, found: ReturnType<typeof freshFinding>): PromiseAnswer['state'] {
  if (!found || found.isStale) return 'gap';
  if (found.last.state === 'kept' && row.attest) return 'gap';
  return found.last.state;
}

function answerFor(row: Row, service: ServiceInForce, known: Known): PromiseAnswer {
  const entry = row.control ? known.catalogue[row.control] : undefined;
  const found = freshFinding(row, service, known);
  const state = stateOf(row, found);
  return {
    id: row.id,
    state,
    control: row.control ?? null,
    says: row.says,
    provenAt: found?.last.foundAt.toISOString() ?? null,
    saw: found?.last.saw ?? null,
    reason: state === 'gap' ? reasonFor(row, found, known) : null,
    line: String(row.line),
    means: row.means ?? null,
    kind: kindOf(row),
    with: row.with ?? null,
    config: row.config ? [row.config].flat().join(', ') : null,
    attest: row.attest ?? null,
    controlTitle: entry?.title ?? null,
    area: entry?.area ?? null,
    probe: found?.last.strength ?? entry?.probe ?? null,
    blindTo: found?.last.blindTo ?? null,
    since: found?.last.since.toISOString() ?? null,
    tookMs: found?.last.tookMs ?? null,
  };
}

/** Opens the answers about promises: what the last proof of each found, and nothing else. */
export function openPromises(known: Known): (service: ServiceInForce) => PromiseAnswers {
  return (service) => {
    const counts: PromiseCounts = { kept: 0, broken: 0, gap: 0, attested: 0 };
    const promises = service.policy.promises.map((row) => answerFor(row, service, known));
    for (const { state } of promises) counts[state] += 1;
    return { counts, promises };
  };
}
