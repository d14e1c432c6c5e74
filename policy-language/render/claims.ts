/** A general claim, shown with the checks that speak for it and what they found. */
import { controlCatalogue } from '#controls';
import type { ControlCatalogue } from '#language/control-type';
import type { Policy } from '#language/policy';
import { type Block, tableOf, type Words } from './page.ts';
import { countsOf, type States } from './status.ts';

const SAFEGUARDS = ['access', 'audit', 'backups', 'encryption', 'identity', 'incidents', 'keys'];
const OUTER = ['tenancy', 'vault', 'web'];
const PRIVACY = ['changes', 'consent', 'erasure', 'ingest', 'policy', 'purpose', 'retention'];
const PEOPLE = ['rights', 'sharing'];

/** Which areas of the catalogue speak for a claim; a claim that is not here has all of them. */
const AREAS: Readonly<Record<string, readonly string[]>> = {
  safeguards: [...SAFEGUARDS, ...OUTER],
  'reasonable measures': [...SAFEGUARDS, ...OUTER],
  'SOC 2 security': [...SAFEGUARDS, ...OUTER],
  'SOC 2 privacy': [...PRIVACY, ...PEOPLE],
  GDPR: [...PRIVACY, ...PEOPLE, 'audit', 'encryption', 'incidents'],
  CCPA: [...PRIVACY, ...PEOPLE],
  PIPEDA: [...PRIVACY, ...PEOPLE, 'encryption'],
};

const CONTROL = 'policy.claim-shows-evidence';

function areaOf({ control }: Policy['promises'][number]): string | undefined {
  const catalogue: ControlCatalogue = controlCatalogue;
  return control === undefined || control === CONTROL ? undefined : catalogue[control]?.area;
}

function checksOf(policy: Policy, claim: string, states: States): string {
  const areas = AREAS[claim];
  const groups = Map.groupBy(policy.promises, areaOf);
  const lines = [...groups]
    .filter(([area]) => area !== undefined && (areas?.includes(area) ?? true))
    .sort(([a], [b]) => ((a ?? '') < (b ?? '') ? -1 : 1))
    .map(([area, rows]) => {
      const { kept, broken } = countsOf(rows, states);
      return `${area}: ${kept} of ${rows.length} kept, ${broken} broken`;
    });
  return lines.join('; ') || 'no check speaks for it';
}

export function claimsTable(policy: Policy, states: States | undefined): Block[] {
  if (!states) return [];
  const rows = policy.promises
    .filter(({ control }) => control === CONTROL)
    .map(({ says, with: binding }): Words[] => {
      const claim = String(binding?.['claim']);
      return [
        says,
        { text: checksOf(policy, claim, states), at: `page.claim.${claim}` },
        { text: 'every check', to: `/v1/t/${policy.service}/promises` },
      ];
    });
  return tableOf('Claims and the checks behind them', ['Claim', 'Checks', 'Evidence'], rows);
}
