/** Rules about the binding of each promise: to a control, to configuration, to an attestation. */
import { controlCatalogue } from '#controls';
import type { ControlCatalogue, ControlEntry } from '#language/control-type';
import { listOf } from '#language/one-or-more';
import { type Policy, valueAt } from '#language/policy';
import { lessonAt, nearest, READ_ONCE } from '#reading';
import { type Declared, declaredIn, unknownName } from './references.ts';
import type { Raised, Row, Rule } from './rule.ts';

/** The entry of a control, or undefined when the catalogue has no such name. */
function controlNamed(name: string): ControlEntry | undefined {
  const catalogue: ControlCatalogue = controlCatalogue;
  return Object.hasOwn(catalogue, name) ? catalogue[name] : undefined;
}

/** The next id under the letters of this one. */
function freeId({ promises }: Policy, taken: string): string {
  const [letters] = taken.split('-');
  const numbers = promises.flatMap(({ id }) => {
    const [before, number] = id.split('-');
    return before === letters ? Number(number) : [];
  });
  return `${letters}-${String(Math.max(...numbers) + 1).padStart(2, '0')}`;
}

function unknownControl(name: string): Pick<Raised, 'code' | 'message' | 'expected' | 'example'> {
  const names = Object.keys(controlCatalogue);
  const inArea = names.filter((one) => one.startsWith(`${name.split('.')[0]}.`));
  const near = nearest(name, names);
  return {
    code: 'control/unknown',
    message: `There is no control "${name}".${near === undefined ? '' : ` Did you mean "${near}"?`}`,
    expected: inArea.length > 0 ? `one of ${inArea.join(', ')}` : 'the name of a control',
    example: near ?? inArea[0] ?? 'retention.limit',
  };
}

export const promisesAreBound: Rule = function* ({ policy, rows }) {
  const seen = new Set<string>();
  for (const { row, index } of rows) {
    const { id, control, config, attest } = row;
    if (seen.has(id)) {
      const message = `The id ${id} is taken by an earlier promise.`;
      const example = freeId(policy, id);
      const at = { path: ['promises', index, 'id'], promises: [id] };
      yield { code: 'promise/duplicate-id', message, expected: 'an id of its own', example, ...at };
    }
    seen.add(id);
    if (control === undefined && config === undefined && attest === undefined) {
      yield {
        code: 'promise/unbound',
        message: `Nothing makes ${id} true.`,
        expected: 'control, config or attest',
        example: 'control: retention.limit, with: { data: agent-commands }',
        path: ['promises', index, 'id'],
        promises: [id],
      };
    }
  }
};

export const controlsTakeTheirParameters: Rule = function* ({ policy, rows }) {
  const declared = declaredIn(policy);
  for (const { row, index } of rows) {
    if (row.control === undefined) continue;
    const entry = controlNamed(row.control);
    if (!entry) {
      const path = ['promises', index, 'control'];
      yield { ...unknownControl(row.control), path, promises: [row.id] };
      continue;
    }
    const checked = entry.with.safeParse(row.with ?? {}, READ_ONCE);
    for (const issue of checked.success ? [] : checked.error.issues) {
      yield {
        code: 'control/parameters',
        message: `${row.control}: ${[...issue.path, issue.message].map(String).join(': ')}`,
        ...lessonAt(entry.with, []),
        path: ['promises', index, row.with === undefined ? 'control' : 'with'],
        promises: [row.id],
      };
    }
    if (row.with !== undefined) yield* unknownParameters(policy, row, index, declared);
  }
};

function* unknownParameters(
  policy: Policy,
  row: Row,
  index: number,
  declared: Readonly<Record<string, Declared>>,
): Generator<Raised> {
  for (const key of Object.keys(row.with ?? {})) {
    const value = row.with?.[key];
    const section = declared[key];
    for (const name of section ? listOf(value) : []) {
      if (typeof name !== 'string' || !section || section.names.has(name)) continue;
      for (const raised of unknownName(name, section, ['promises', index, 'with', key])) {
        yield { ...raised, promises: [row.id] };
      }
    }
    if (key === 'setting' && typeof value === 'string')
      yield* unknownPath(policy, value, ['promises', index, 'with', key], row);
  }
}

export const configExists: Rule = function* ({ policy, rows }) {
  for (const { row, index } of rows) {
    for (const written of listOf(row.config)) {
      yield* unknownPath(policy, written, ['promises', index, 'config'], row);
    }
  }
};

function* unknownPath(policy: Policy, written: string, path: Raised['path'], row: Row) {
  if (valueAt(policy, written) !== undefined) return;
  yield {
    code: 'config/unknown-path',
    message: `The document has no value at ${written}.`,
    expected: 'the path of a value in this document, with dots',
    example: 'controller.name',
    path: path ?? [],
    promises: [row.id],
  } satisfies Raised;
}

/** Enforced things are promised things; what is left over is shown, so that someone can say so. */
export const controlsAreForPromises: Rule = function* ({ policy }) {
  const named = namedByPromises(policy);
  for (const [section, names] of [
    ['data', Object.keys(policy.data)],
    ['cookies', Object.keys(policy.cookies ?? {})],
    ['recipients', Object.keys(policy.recipients ?? {})],
  ] as const) {
    for (const name of names) {
      if (named.has(name)) continue;
      yield {
        code: 'control/without-promise',
        message: `No promise speaks of "${name}" under ${section}.`,
        path: [section, name],
      };
    }
  }
};

function namedByPromises(policy: Policy): Set<string> {
  const named = new Set<string>();
  for (const row of policy.promises) {
    for (const value of Object.values(row.with ?? {})) {
      for (const name of listOf(value)) {
        if (typeof name === 'string') addName(named, name);
      }
    }
    for (const path of listOf(row.config)) addName(named, path);
  }
  return named;
}

function addName(named: Set<string>, name: string): void {
  named.add(name);
  if (name.includes('.')) for (const step of name.split('.')) named.add(step);
}
