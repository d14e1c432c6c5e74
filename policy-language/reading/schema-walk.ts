/** Asks a zod schema what it wants at a path, so that an error can teach. */
import type { z } from 'zod';
import { teachings } from '#grammar';
import { plainScalar } from './plain-scalar.ts';
import { nearest } from './suggest.ts';
import type { Path } from './tree.ts';

type Definition = {
  readonly type: string;
  readonly shape?: Record<string, z.ZodType>;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly keyType?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly entries?: Record<string, string | number>;
  readonly values?: readonly unknown[];
};

const definitionOf = (schema: z.ZodType) => schema.def as unknown as Definition;

function unwrap(schema: z.ZodType): z.ZodType {
  const { innerType } = definitionOf(schema);
  return innerType ? unwrap(innerType) : schema;
}

/** The schemas that may stand at a path; several below a union. */
export function schemasAt(root: z.ZodType, path: Path): z.ZodType[] {
  let here = [unwrap(root)];
  for (const step of path) {
    const next: z.ZodType[] = [];
    for (const schema of here.flatMap(alternatives)) {
      const { shape, element, valueType } = definitionOf(schema);
      const inner = shape ? shape[String(step)] : (valueType ?? element);
      if (inner) next.push(unwrap(inner));
    }
    here = next;
  }
  return here;
}

/** The schemas of a union, however deep; any other schema alone. */
export function alternatives(schema: z.ZodType): z.ZodType[] {
  const { options } = definitionOf(schema);
  return options ? options.flatMap((option) => alternatives(unwrap(option))) : [schema];
}

/** The keys that an object at this path may have. */
export function keysAt(root: z.ZodType, path: Path): string[] {
  return schemasAt(root, path)
    .flatMap(alternatives)
    .flatMap((schema) => Object.keys(definitionOf(schema).shape ?? {}));
}

/** The closed list of words that may stand at this path; empty when there is none. */
export function choicesAt(root: z.ZodType, path: Path): string[] {
  return schemasAt(root, path)
    .flatMap(alternatives)
    .flatMap((schema) => {
      const { entries, values } = definitionOf(schema);
      return (entries ? Object.values(entries) : [...(values ?? [])]).map(String);
    });
}

export type Lesson = { expected?: string; example?: string };

const KIND: Record<string, Lesson> = {
  string: { expected: 'a text', example: '"Agent Commands"' },
  number: { expected: 'a number', example: '10' },
  boolean: { expected: 'true or false', example: 'true' },
  array: { expected: 'a list' },
  record: { expected: 'an object' },
  lazy: { expected: 'a value', example: '10' },
};

/** What would have been right at this path. */
export function lessonAt(root: z.ZodType, path: Path): Lesson {
  const [schema] = schemasAt(root, path);
  if (!schema) return {};
  const taught = teachings.get(schema);
  if (taught) return { ...taught };
  const example = exampleOf(schema);
  const choices = choicesAt(root, path);
  if (choices.length > 0) return { expected: oneOf(choices), example };
  return { expected: kindOf(schema), example };
}

/** What the keys of the table at the end of this path look like. */
export function keyLessonAt(root: z.ZodType, path: Path): Lesson {
  const table = schemasAt(root, path.slice(0, -1)).flatMap(alternatives);
  const keyType = table.map((schema) => definitionOf(schema).keyType).find(Boolean);
  return (keyType && teachings.get(keyType)) ?? {};
}

function oneOf(choices: readonly string[]): string {
  const shown = choices.slice(0, 12).join(', ');
  return `one of ${shown}${choices.length > 12 ? ` … (${choices.length} in all)` : ''}`;
}

function kindOf(schema: z.ZodType): string {
  const { type, shape, options } = definitionOf(schema);
  if (shape && Object.keys(shape).length === 0) return 'nothing: it takes no parameters';
  if (shape) return `an object with ${Object.keys(shape).slice(0, 12).join(', ')}`;
  if (!options) return KIND[type]?.expected ?? type;
  const kinds = options.map((option) => teachings.get(option)?.expected ?? kindOf(unwrap(option)));
  return [...new Set(kinds)].join(', or ');
}

/** A right value, as short as the schema allows: of an object, what it cannot do without. */
function exampleOf(written: z.ZodType): string {
  const schema = unwrap(written);
  const taught = teachings.get(schema);
  if (taught) return taught.example;
  const { type, shape, options, element, keyType, valueType, entries, values } =
    definitionOf(schema);
  if (options?.[0]) return exampleOf(options[0]);
  const [choice] = entries ? Object.values(entries) : (values ?? []);
  if (choice !== undefined) return asWritten(choice);
  if (element) return `[${exampleOf(element)}]`;
  if (keyType && valueType) return `{ ${exampleOf(keyType)}: ${exampleOf(valueType)} }`;
  if (shape) return exampleOfShape(shape);
  return KIND[type]?.example ?? '10';
}

/** A word that YAML would read as a number is quoted. */
const asWritten = (value: unknown) =>
  typeof value === 'string' && plainScalar(value) !== value ? JSON.stringify(value) : String(value);

function exampleOfShape(shape: Readonly<Record<string, z.ZodType>>): string {
  const all = Object.entries(shape);
  const needed = all.filter(([, schema]) => definitionOf(schema).type !== 'optional');
  if (all.length === 0) return '{}';
  const shown = needed.length > 0 ? needed : all.slice(0, 1);
  return `{ ${shown.map(([key, schema]) => `${key}: ${exampleOf(schema)}`).join(', ')} }`;
}

/** ` Did you mean "x"?`, or nothing. */
export function didYouMean(word: unknown, candidates: readonly string[]): string {
  const near = typeof word === 'string' ? nearest(word, candidates) : undefined;
  return near === undefined ? '' : ` Did you mean "${near}"?`;
}
