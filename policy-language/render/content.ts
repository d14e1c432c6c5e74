/** What the human page says, read from the compiled policy: every number on it is the live one. */

import { controlCatalogue } from '#controls';
import { policyHash } from '#language/compile';
import type { ControlCatalogue } from '#language/control-type';
import type { Policy } from '#language/policy';
import { claimsTable } from './claims.ts';
import { type Block, heading, type Line, text } from './page.ts';
import { settingsOf } from './settings.ts';
import { bannerOf, draftOf, footerOf, type Standing, type States, updatedOf } from './status.ts';
import { decisionsTable, tablesOf } from './tables.ts';
import { shown } from './words.ts';

export function contentOf(
  policy: Policy,
  states: States | undefined,
  standing: Standing | undefined,
): Block[] {
  const { reviewed } = policy;
  return [
    heading(1, shown(policy, 'title')),
    ...draftOf(policy),
    text(
      shown(policy, 'controller.name'),
      ', version ',
      shown(policy, 'version'),
      ', in force from ',
      shown(policy, 'effective'),
      ...(reviewed === undefined ? [] : [', last reviewed ', shown(policy, 'reviewed')]),
      '.',
    ),
    ...updatedOf(policy, standing),
    text('SHA-256 of the document that is enforced: ', {
      text: policyHash(policy),
      at: 'page.hash',
    }),
    ...(states ? bannerOf(policy, states) : []),
    ...tablesOf(policy),
    ...settingsOf(policy),
    ...claimsTable(policy, states),
    ...promiseBlocks(policy, states),
    ...decisionsTable(policy),
    ...footerOf(policy, states, standing),
  ];
}

/** The sentences as published, by what keeps them. */
function promiseBlocks(policy: Policy, states: States | undefined): Block[] {
  const groups = new Map<string, Line[]>();
  const catalogue: ControlCatalogue = controlCatalogue;
  for (const { id, says, line, control, attest, means } of policy.promises) {
    const area = control === undefined ? undefined : catalogue[control]?.area;
    const group = area ?? (attest ? 'attestations' : 'configuration');
    const state = states ? (states[id] ?? 'gap') : undefined;
    const note = [`${id}, line ${line}`, means].filter(Boolean).join('. ');
    const lines = groups.get(group) ?? [];
    lines.push({ text: says, note, ...(state && { state }) });
    groups.set(group, lines);
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    heading(2, 'What is promised'),
    ...sorted.flatMap(([group, lines]): Block[] => [
      heading(3, `${group.charAt(0).toUpperCase()}${group.slice(1)}`),
      { kind: 'quotes', lines },
    ]),
  ];
}
