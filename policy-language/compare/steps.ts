/** The single steps of a plan. Material is what a person could have objected to. */
import type { CompiledData, Policy } from '#language/policy';
import { type Limit, limitInWords } from '#language/retention';
import { type Change, changesBetween } from './changes.ts';
import { show } from './diff.ts';

export type Section =
  | 'tables'
  | 'grants'
  | 'limits'
  | 'purposes'
  | 'cookies'
  | 'clocks'
  | 'prices'
  | 'roles'
  | 'recipients'
  | 'rights'
  | 'terms';

export type Step = {
  readonly section: Section;
  readonly action: 'add' | 'change' | 'remove';
  readonly name: string;
  readonly text: string;
  readonly material: boolean;
  readonly rowsDeleted?: number;
};

/** Every step from one policy to the next; from nothing, all that the policy brings. */
export function stepsBetween(current: Policy | undefined, next: Policy): Step[] {
  return [
    ...tables(current, next),
    ...grants(current, next),
    ...limits(current, next),
    ...(current ? declared(current, next) : []),
  ];
}

const namesIn = (...policies: (Policy | undefined)[]) => [
  ...new Set(policies.flatMap((policy) => Object.keys(policy?.compiled.data ?? {}))),
];

function* tables(current: Policy | undefined, next: Policy): Generator<Step> {
  for (const id of namesIn(current, next)) {
    const before = current?.compiled.data[id];
    const after = next.compiled.data[id];
    const step = { section: 'tables', name: id } as const;
    if (!before && after) {
      const text = `table ${after.table}: create with ${fieldList(after)}`;
      yield { ...step, action: 'add', text, material: true };
    } else if (before && !after) {
      yield { ...step, action: 'remove', text: `table ${before.table}: drop`, material: false };
    } else if (before && after) yield* columns(before, after);
  }
}

const fieldList = ({ fields }: CompiledData) => Object.keys(fields).join(', ') || 'no fields';

function* columns(before: CompiledData, after: CompiledData): Generator<Step> {
  const step = { section: 'tables', name: after.id } as const;
  for (const name of new Set([...Object.keys(before.fields), ...Object.keys(after.fields)])) {
    const old = before.fields[name];
    const now = after.fields[name];
    const place = `table ${after.table}: ${name}`;
    if (!old) yield { ...step, action: 'add', text: `${place} added`, material: true };
    else if (!now) yield { ...step, action: 'remove', text: `${place} dropped`, material: false };
    else if (old.type !== now.type || old.seal !== now.seal || old.max !== now.max) {
      const text = `${place} becomes ${now.type}${now.seal ? `, sealed (${now.seal})` : ''}`;
      yield { ...step, action: 'change', text, material: old.seal !== null && now.seal === null };
    }
  }
}

function* grants(current: Policy | undefined, next: Policy): Generator<Step> {
  for (const id of namesIn(current, next)) {
    const before = new Set(current?.compiled.data[id]?.purposes);
    const after = new Set(next.compiled.data[id]?.purposes);
    const table = next.compiled.data[id]?.table ?? current?.compiled.data[id]?.table ?? id;
    for (const purpose of after.difference(before)) {
      const text = `grant: ${purpose} may read ${table}`;
      yield { section: 'grants', action: 'add', name: id, text, material: true };
    }
    for (const purpose of before.difference(after)) {
      const text = `revoke: ${purpose} may no longer read ${table}`;
      yield { section: 'grants', action: 'remove', name: id, text, material: false };
    }
  }
}

function* limits(current: Policy | undefined, next: Policy): Generator<Step> {
  for (const [id, { retain, table }] of Object.entries(next.compiled.data)) {
    const before = current?.compiled.data[id]?.retain;
    if (before?.text === retain.text) continue;
    const words = limitInWords(retain);
    const text = before
      ? `limit: ${table} ${limitInWords(before)} → ${words}`
      : `limit: ${table} ${words}`;
    const material = before !== undefined && longer(retain, before);
    yield { section: 'limits', action: before ? 'change' : 'add', name: id, text, material };
  }
}

const length = ({ milliseconds }: Limit) => milliseconds ?? Number.POSITIVE_INFINITY;
const longer = (a: Limit, b: Limit) => length(a) > length(b);

const SECTIONS: readonly (readonly [string, Section])[] = [
  ['purposes.', 'purposes'],
  ['cookies.', 'cookies'],
  ['incidents.', 'clocks'],
  ['prices.', 'prices'],
  ['roles.', 'roles'],
  ['recipients.', 'recipients'],
  ['rights.', 'rights'],
];
/** Not terms of the service: how it is worded, numbered and checked. */
const WORDING = /^(?:version|effective|reviewed|title|prose|silent-lines|promises|resolves|data)\b/;

/** Whatever else the document declares. Removing a recipient or a cookie harms nobody. */
function* declared(current: Policy, next: Policy): Generator<Step> {
  for (const { path, kind, from, to } of changesBetween(current, next)) {
    if (WORDING.test(path)) continue;
    const [prefix, section] = SECTIONS.find(([start]) => path.startsWith(start)) ?? ['', 'terms'];
    const name = path.slice(prefix.length).split('.')[0] ?? path;
    const verb = kind === 'changed' ? `${show(from)} → ${show(to)}` : `${kind} ${show(from ?? to)}`;
    yield {
      section: section as Section,
      action: kind === 'added' ? 'add' : kind === 'removed' ? 'remove' : 'change',
      name,
      text: `${path}: ${verb}`,
      material: isMaterial(path, kind),
    };
  }
}

/** What the steps about a data type say of it, by the key of the document. */
const SAID_BY: Readonly<Record<string, Section>> = {
  fields: 'tables',
  purposes: 'grants',
  retain: 'limits',
};

/** The changes that no step speaks of: words, version, dates, decisions, what promises bind. */
export function otherChanges(current: Policy, next: Policy, steps: readonly Step[]): Change[] {
  const said = new Set(steps.map(({ section, name }) => `${section} ${name}`));
  const isSaid = ([, id, key]: string[]) =>
    key === undefined ? said.has(`tables ${id}`) : said.has(`${SAID_BY[key]} ${id}`);
  return changesBetween(current, next).filter(
    ({ path }) => WORDING.test(path) && !(path.startsWith('data.') && isSaid(path.split('.'))),
  );
}

const DESCRIPTION = /\.(?:title|description|note|because|aliases)$|^controller\.|^statements\./;
const HARMLESS_TO_DROP = /^(?:recipients|cookies|prices|purposes)\./;

function isMaterial(path: string, kind: 'added' | 'removed' | 'changed'): boolean {
  if (DESCRIPTION.test(path)) return false;
  return !(kind === 'removed' && HARMLESS_TO_DROP.test(path));
}
