/** The tables of the page that say what matters most: what is held, why, who gets it, and rights. */
import type { Policy } from '#language/policy';
import { limitInWords } from '#language/retention';
import { bases, categories, fallsUnder, rights, uses } from '#vocabulary';
import { type Block, heading, type Piece, tableOf, text, type Words } from './page.ts';
import { shown, durationWords as words } from './words.ts';

export function tablesOf(policy: Policy): Block[] {
  return [
    ...dataTable(policy),
    ...purposeTable(policy),
    ...rightsTable(policy),
    ...smallTables(policy),
    ...recipientsTable(policy),
    ...saleOf(policy),
    ...contactsTable(policy),
  ];
}

function dataTable(policy: Policy): Block[] {
  const rows = Object.entries(policy.data).map(([id, type]) => {
    const compiled = policy.compiled.data[id];
    const sealed = Object.values(compiled?.fields ?? {}).filter(({ seal }) => seal !== null);
    return [
      type.title,
      type.categories.map((key) => categories[key].title).join(', '),
      type.purposes.map((purpose) => policy.purposes[purpose]?.title ?? purpose).join('; '),
      { text: keptFor(policy, id), at: `page.retain.${id}` },
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
  const rows = Object.entries(policy.recipients ?? {}).map(([id, recipient]): Words[] => [
    shown(policy, `recipients.${id}.title`),
    recipient.role,
    policy.purposes[recipient.purpose ?? '']?.title ?? recipient.purpose ?? '',
    (recipient.data ?? []).map((id) => policy.data[id]?.title ?? id).join(', '),
    [recipient.country, ...(recipient.safeguards ?? [])].filter(Boolean).join(', '),
  ]);
  return tableOf('Who receives it', ['Name', 'Role', 'Why', 'Data', 'Where'], rows);
}

/** Whether data is sold follows from who receives it and why, never from a sentence. */
function saleOf(policy: Policy): Block[] {
  const recipients = Object.values(policy.recipients ?? {});
  const buyers = recipients.filter(({ purpose }) => {
    const use = policy.purposes[purpose ?? '']?.use;
    return use !== undefined && fallsUnder(use, 'sales');
  });
  const forbidden = policy['forbidden-uses']?.includes('sales') ? ' That use is ruled out.' : '';
  const told =
    buyers.length === 0
      ? `Data is not sold: none of ${recipients.length} recipients has it for a sale.${forbidden}`
      : `Data is sold to ${buyers.map(({ title }) => title).join(', ')}.`;
  return [heading(2, 'Sale of data'), text({ text: told, at: 'page.sale' })];
}

function contactsTable(policy: Policy): Block[] {
  const rows = Object.entries(policy.controller.contacts).map(([id, contact]): Words[] => {
    const at = `controller.contacts.${id}`;
    const ways = (['email', 'phone', 'url'] as const)
      .filter((way) => contact[way] !== undefined)
      .flatMap((way): Piece[] => [', ', shown(policy, `${at}.${way}`)]);
    return [
      contact.title === undefined ? id : shown(policy, `${at}.title`),
      ways.slice(1),
      words(contact['answers-within']),
    ];
  });
  return tableOf('Whom to ask', ['For', 'Address', 'Answers within'], rows);
}

export function decisionsTable(policy: Policy): Block[] {
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
