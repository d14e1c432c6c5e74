/** What the human page says, read from the compiled policy: every number on it is the live one. */

import { controlCatalogue } from '#controls';
import { policyHash } from '#language/compile';
import type { ControlCatalogue } from '#language/control-type';
import { durationInWords, tryDuration } from '#language/duration';
import type { Policy } from '#language/policy';
import { limitInWords } from '#language/retention';
import { bases, categories, rights, uses } from '#vocabulary';
import { type Block, heading, type Line, type PromiseState, tableOf, text } from './page.ts';

export type States = Readonly<Record<string, PromiseState>>;

export function contentOf(policy: Policy, states: States | undefined): Block[] {
  return [
    heading(1, policy.title),
    text(
      `${policy.controller.name}, version ${policy.version}, in force from ${policy.effective}.`,
    ),
    text(`SHA-256 of the document that is enforced: ${policyHash(policy)}`),
    ...(states ? [text(countsOf(policy, states))] : []),
    ...dataTable(policy),
    ...purposeTable(policy),
    ...rightsTable(policy),
    ...smallTables(policy),
    ...recipientsTable(policy),
    ...contactsTable(policy),
    ...promiseBlocks(policy, states),
    ...decisionsTable(policy),
  ];
}

const words = (written: string | undefined) => {
  const duration = written === undefined ? undefined : tryDuration(written);
  return duration ? durationInWords(duration) : (written ?? '');
};

function countsOf({ promises }: Policy, states: States): string {
  const counts = { kept: 0, broken: 0, gap: 0, attested: 0 };
  for (const { id } of promises) counts[states[id] ?? 'gap'] += 1;
  const { kept, broken, gap, attested } = counts;
  return `${promises.length} promises: ${kept} kept, ${attested} attested, ${gap} gaps, ${broken} broken.`;
}

function dataTable(policy: Policy): Block[] {
  const rows = Object.entries(policy.data).map(([id, type]) => {
    const compiled = policy.compiled.data[id];
    const sealed = Object.values(compiled?.fields ?? {}).filter(({ seal }) => seal !== null);
    return [
      type.title,
      type.categories.map((key) => categories[key].title).join(', '),
      type.purposes.map((purpose) => policy.purposes[purpose]?.title ?? purpose).join('; '),
      keptFor(policy, id),
      sealed.map(({ name, seal }) => `${name} (${seal})`).join(', ') || 'no personal field',
    ];
  });
  return tableOf('What is held', ['Data', 'Kind', 'Why', 'How long', 'Sealed'], rows);
}

function keptFor(policy: Policy, id: string): string {
  const compiled = policy.compiled.data[id];
  if (!compiled) return '';
  const { tiers, retain, retainIn } = compiled;
  const regional = Object.entries(retainIn)
    .filter(([, limit]) => limit.text !== retain.text)
    .map(([region, limit]) => `${region}: ${limitInWords(limit)}`);
  const active = tiers?.archive ? `${limitInWords(tiers.active)} active, ` : '';
  const total = tiers?.archive ? `${limitInWords(retain)} in all` : limitInWords(retain);
  return [`${active}${total}`, ...regional].join('; ');
}

function purposeTable(policy: Policy): Block[] {
  const rows = Object.entries(policy.purposes).map(([id, purpose]) => [
    purpose.title ?? id,
    uses[purpose.use].title,
    bases[purpose.basis].title,
    policy.compiled.purposes[id]?.asksConsent ? 'only after a yes' : '',
  ]);
  return tableOf('Why it is used', ['Purpose', 'Use', 'Legal basis', 'Asked first'], rows);
}

function rightsTable(policy: Policy): Block[] {
  const rows = Object.entries(policy.rights ?? {}).map(([key, right]) => [
    rights[key as keyof typeof rights].title,
    words(right?.within),
    (right?.formats ?? []).join(', '),
    right?.note ?? right?.path ?? '',
  ]);
  return tableOf('What you may demand', ['Right', 'Within', 'Formats', ''], rows);
}

function smallTables(policy: Policy): Block[] {
  const cookies = Object.values(policy.cookies ?? {}).map(({ name, purpose, lifetime, flags }) => [
    name,
    policy.purposes[purpose]?.title ?? purpose,
    words(lifetime),
    (flags ?? []).join(', '),
  ]);
  const clocks = Object.entries(policy.incidents?.clocks ?? {}).map(([name, clock]) => [
    name.replaceAll('-', ' '),
    words(clock),
  ]);
  const prices = (policy.prices ?? []).map((price) => [
    price.title ?? price.meter,
    `${(price['amount-cents'] / 100).toFixed(2)} ${price.currency}`,
    words(price.per),
  ]);
  const start = policy.incidents?.starts;
  return [
    ...tableOf('Cookies', ['Name', 'Why', 'How long', 'Flags'], cookies),
    ...tableOf(`Clocks of an incident, from ${start}`, ['Step', 'Within'], clocks),
    ...tableOf('Prices', ['What', 'Amount', 'Per'], prices),
  ];
}

function recipientsTable(policy: Policy): Block[] {
  const rows = Object.values(policy.recipients ?? {}).map((recipient) => [
    recipient.title,
    recipient.role,
    (recipient.data ?? []).map((id) => policy.data[id]?.title ?? id).join(', '),
    [recipient.country, ...(recipient.safeguards ?? [])].filter(Boolean).join(', '),
  ]);
  return tableOf('Who receives it', ['Name', 'Role', 'Data', 'Where'], rows);
}

function contactsTable(policy: Policy): Block[] {
  const rows = Object.entries(policy.controller.contacts).map(([id, contact]) => [
    contact.title ?? id,
    contact.email ?? contact.phone ?? contact.url ?? '',
    words(contact['answers-within']),
  ]);
  return tableOf('Whom to ask', ['For', 'Address', 'Answers within'], rows);
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

function decisionsTable(policy: Policy): Block[] {
  const rows = (policy.resolves ?? []).map(({ finding, promises, decision, because, on }) => [
    finding,
    (promises ?? []).join(', '),
    decision,
    because,
    on,
  ]);
  return tableOf(
    'Decisions on doubtful sentences',
    ['Finding', 'Promises', 'Decision', 'Because', 'On'],
    rows,
  );
}
