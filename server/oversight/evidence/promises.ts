import type { Policy } from '@troth/policy-language';
import type { PromiseAnswer, PromiseAnswers, PromiseCounts, ServiceInForce } from './model.ts';

/** What the language says about each control, by name. */
export type Catalogue = Readonly<Record<string, { area: string; title: string; probe: string }>>;

type Row = Policy['promises'][number];

const NOT_BUILT = 'No control of this name is built into this version';
const NOT_PROVEN = 'Enforced; no proof has looked at it yet';
const NOT_ATTESTED = 'No attestation is on file';
const NOT_COMPARED = 'The policy gives the value; no probe has read it on the rendered page yet';
const UNBOUND = 'Bound to no control, no value and no attestation';

/** Walks `controller.contacts.privacy.email`; undefined when the document has no such place. */
export function valueAt(document: unknown, path: string): unknown {
  let here = document;
  for (const step of path.split('.')) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return undefined;
    here = (here as Record<string, unknown>)[step];
  }
  return here;
}

/** Why this promise is a gap. Each thing that is missing is named; none is glossed over. */
function reasonFor(row: Row, policy: Policy, built: ReadonlySet<string>): string {
  const paths = [row.config ?? []].flat();
  const missing = paths.find((path) => valueAt(policy, path) === undefined);
  const reasons: string[] = [];
  if (row.control) reasons.push(built.has(row.control) ? NOT_PROVEN : NOT_BUILT);
  if (missing) reasons.push(`The policy has no value at ${missing}`);
  else if (paths.length > 0 && !row.control) reasons.push(NOT_COMPARED);
  if (row.attest) reasons.push(NOT_ATTESTED);
  if (reasons.length === 0) reasons.push(UNBOUND);
  const [first, ...rest] = reasons;
  return [first, ...rest.map((one) => one.charAt(0).toLowerCase() + one.slice(1))].join('; ');
}

const kindOf = ({ control, config, attest }: Row): PromiseAnswer['kind'] =>
  control ? 'control' : config ? 'config' : attest ? 'attestation' : 'unbound';

function answerFor(row: Row, policy: Policy, known: Known): PromiseAnswer {
  const entry = row.control ? known.catalogue[row.control] : undefined;
  return {
    id: row.id,
    state: 'gap',
    control: row.control ?? null,
    says: row.says,
    provenAt: null,
    saw: null,
    reason: reasonFor(row, policy, known.built),
    line: String(row.line),
    means: row.means ?? null,
    kind: kindOf(row),
    with: row.with ?? null,
    config: row.config ? [row.config].flat().join(', ') : null,
    attest: row.attest ?? null,
    controlTitle: entry?.title ?? null,
    area: entry?.area ?? null,
    probe: entry?.probe ?? null,
  };
}

type Known = { catalogue: Catalogue; built: ReadonlySet<string> };

/**
 * Opens the answers about promises.
 *
 * @param known.built  The names of the controls that this version registered. A control that is
 *                     registered is enforced, which is not yet a proof.
 * @returns a function of a service; its answer is made once for each revision and kept.
 */
export function openPromises(known: Known): (service: ServiceInForce) => PromiseAnswers {
  const made = new WeakMap<ServiceInForce, PromiseAnswers>();
  return (service) => {
    const earlier = made.get(service);
    if (earlier) return earlier;
    const counts: PromiseCounts = { kept: 0, broken: 0, gap: 0, attested: 0 };
    const promises = service.policy.promises.map((row) => answerFor(row, service.policy, known));
    for (const { state } of promises) counts[state] += 1;
    const answers = { counts, promises };
    made.set(service, answers);
    return answers;
  };
}
