/** The number in the sentence is the number that is enforced, or one of them is wrong. */
import { listOf } from '#language/one-or-more';
import { type Policy, valueAt } from '#language/policy';
import { type Quantity, quantitiesIn, quantitiesOf } from './quantities.ts';
import type { Row, Rule } from './rule.ts';

export const numbersAgree: Rule = function* ({ policy, rows }) {
  for (const { row, index } of rows) {
    const stated = quantitiesIn(row.says);
    if (stated.length === 0) continue;
    const enforced = enforcedBy(policy, row);
    for (const quantity of stated) {
      const alike = enforced.filter(({ kind }) => kind === quantity.kind);
      if (alike.length === 0 || alike.some(({ value }) => value === quantity.value)) continue;
      yield {
        code: 'number/differs',
        message: `${row.id} says "${quantity.text}", but ${textsOf(alike)} is enforced.`,
        path: ['promises', index, 'says'],
        promises: [row.id],
        expected: `"${quantity.text}" in the section that the promise binds, or another sentence`,
        example: asWritten(quantity),
      };
    }
  }
};

const DAY_MS = 86_400_000;
const MEGABYTE = 1024 ** 2;

/** A quantity of a sentence as the document would have it. */
function asWritten({ kind, value }: Quantity): string {
  if (kind === 'money') return `amount-cents: ${value}`;
  if (kind === 'tls') return `"${value.toFixed(1)}"`;
  if (kind === 'version') return versionText(value);
  if (kind === 'date') return new Date(value).toISOString().slice(0, 10);
  if (kind === 'size') return value < MEGABYTE ? `${value / 1024}KB` : `${value / MEGABYTE}MB`;
  if (kind === 'count') return String(value);
  return value % DAY_MS === 0 ? `P${value / DAY_MS}D` : `PT${value / 1000}S`;
}

function versionText(value: number): string {
  const [major, minor, patch] = [value / 1e6, (value / 1e3) % 1e3, value % 1e3].map(Math.trunc);
  return patch ? `"${major}.${minor}.${patch}"` : `"${major}.${minor}"`;
}

const textsOf = (quantities: readonly Quantity[]) =>
  [...new Set(quantities.map(({ text }) => text))].slice(0, 4).join(' or ');

/** Every quantity that the promise is bound to: by its control's parameters or by configuration. */
function enforcedBy(policy: Policy, row: Row): Quantity[] {
  const found: Quantity[] = [];
  for (const path of listOf(row.config)) found.push(...at(policy, path));
  for (const [key, value] of Object.entries(row.with ?? {})) {
    for (const name of listOf(value)) {
      if (typeof name !== 'string') found.push(...quantitiesOf(name, key));
      else if (key === 'setting') found.push(...at(policy, name));
      else if (key === 'data') found.push(...ofData(policy, name));
      else if (key === 'meter') found.push(...ofMeter(policy, name));
      else if (SECTIONS[key]) found.push(...at(policy, `${SECTIONS[key]}.${name}`));
    }
  }
  return found;
}

const SECTIONS: Readonly<Record<string, string>> = {
  cookie: 'cookies',
  clock: 'incidents.clocks',
  contact: 'controller.contacts',
  right: 'rights',
  recipient: 'recipients',
  role: 'roles',
};

function at(policy: Policy, path: string): Quantity[] {
  return quantitiesOf(valueAt(policy, path), path.split('.').at(-1));
}

function ofData(policy: Policy, id: string): Quantity[] {
  const type = policy.data[id];
  if (!type) return [];
  const { retain, inactive, 'retain-options': options, 'purge-within': purge } = type;
  return quantitiesOf([retain, inactive, options, purge].filter((value) => value !== undefined));
}

const ofMeter = (policy: Policy, meter: string): Quantity[] =>
  quantitiesOf(policy.prices?.filter((price) => price.meter === meter) ?? []);
