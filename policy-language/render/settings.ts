/**
 * Every setting of the document, section by section, in words.
 *
 * The tables above it say what matters most to people; here nothing is left out, so that whatever
 * the software obeys can be read on the page. Data, purposes, promises and decisions have whole
 * tables of their own.
 */
import type { Policy } from '#language/policy';
import { type Block, heading, type Words } from './page.ts';
import { shown } from './words.ts';

const SECTIONS = {
  controller: 'Who answers for it',
  age: 'Age',
  regions: 'Regions',
  cookies: 'Cookies',
  roles: 'Roles and what they may do',
  rights: 'Rights',
  consent: 'Consent',
  identify: 'How people are told apart',
  ingest: 'At the door',
  insights: 'Statistics',
  federated: 'Learning without sharing',
  security: 'Protection',
  backups: 'Backups',
  incidents: 'Incidents',
  changes: 'Changes of this policy',
  recipients: 'Recipients',
  locations: 'Places',
  transfers: 'Transfers to other countries',
  'forbidden-uses': 'What it is never used for',
  prices: 'Prices',
  'work-orders': 'Work orders',
  statements: 'Statements',
} as const satisfies Partial<Record<keyof Policy, string>>;

/** The paths of all values below one; a list of plain values is one value. */
function pathsBelow(value: unknown, path: string): string[] {
  const isLeaf = typeof value !== 'object' || value === null;
  const isList = Array.isArray(value) && value.every((member) => typeof member !== 'object');
  if (isLeaf || isList) return [path];
  return Object.entries(value).flatMap(([key, member]) => pathsBelow(member, `${path}.${key}`));
}

const nameOf = (path: string, section: string) =>
  path === section
    ? 'all'
    : path
        .slice(section.length + 1)
        .replaceAll('.', ' › ')
        .replaceAll('-', ' ');

export function settingsOf(policy: Policy): Block[] {
  const blocks = Object.entries(SECTIONS).flatMap(([section, title]): Block[] => {
    const value = policy[section as keyof typeof SECTIONS];
    if (value === undefined) return [];
    const rows: Words[][] = pathsBelow(value, section).map((path) => [
      nameOf(path, section),
      shown(policy, path),
    ]);
    return [heading(3, title), { kind: 'table', head: ['Setting', 'Value'], rows }];
  });
  return [heading(2, 'Every setting'), ...blocks];
}
