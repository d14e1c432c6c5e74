import type { Policy } from '@troth/policy-language';
import type { Look } from '#core/looking';

type Purpose = Policy['purposes'][string];

/** A purpose that nobody is asked about and nobody can refuse. */
export const isFree = ({ basis, required, optional }: Purpose): boolean =>
  required === true || (basis !== 'consent' && optional !== true);

/** The purposes of which each alone lets events of a type in; none where nobody is asked. */
export function gatesOf(policy: Policy, type: string): readonly string[] {
  const declared = policy.data[type];
  const asked = declared?.['consent-purpose'];
  const named = asked === undefined ? (declared?.purposes ?? []) : [asked];
  const isOpen = named.some((name) => {
    const purpose = policy.purposes[name];
    return purpose !== undefined && isFree(purpose);
  });
  return isOpen ? [] : named;
}

/** Types whose events need this purpose, and no other lets them in. */
export const gatedBy = ({ policy, canaries }: Look, purpose: string): string[] =>
  canaries.eventTypes.filter((type) => {
    const gates = gatesOf(policy, type);
    return gates.length === 1 && gates[0] === purpose;
  });

/** Events that say who somebody is, rather than what happened. */
export const namesPeople = ({ policy }: Look, type: string): boolean =>
  (policy.data[type]?.['event-names'] ?? []).some((name) =>
    /^type:(identify|alias|group)$/.test(name),
  );

/** Types that nobody has to agree to, and that name nobody. */
export const freeTypes = (look: Look): string[] =>
  look.canaries.eventTypes.filter(
    (type) => gatesOf(look.policy, type).length === 0 && !namesPeople(look, type),
  );

/** The purposes that a person may decide about. */
export const openPurposes = ({ policy }: Look): string[] =>
  Object.entries(policy.purposes)
    .filter(([, purpose]) => !isFree(purpose))
    .map(([id]) => id);
