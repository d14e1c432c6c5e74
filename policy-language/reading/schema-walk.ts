/** Asks a zod schema what it wants at a path, so that an error can teach. */
import type { z } from 'zod';
import { teachings } from '#grammar';
import { nearest } from './suggest.ts';
import type { Path } from './tree.ts';

type Definition = {
  readonly type: string;
  readonly shape?: Record<string, z.ZodType>;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
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

function alternatives(schema: z.ZodType): z.ZodType[] {
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
  int: { expected: 'a whole number', example: '10' },
  boolean: { expected: 'true or false', example: 'true' },
  array: { expected: 'a list', example: '[one, two]' },
};

/** What would have been right at this path. */
export function lessonAt(root: z.ZodType, path: Path): Lesson {
  const [schema] = schemasAt(root, path);
  if (!schema) return {};
  const taught = teachings.get(schema);
  if (taught) return { ...taught };
  const choices = choicesAt(root, path);
  if (choices.length > 0) return lessonOfChoices(choices);
  const { type, shape } = definitionOf(schema);
  if (shape) return { expected: `an object with ${Object.keys(shape).slice(0, 12).join(', ')}` };
  if (type === 'record') return { expected: 'an object', example: '{ name: value }' };
  return KIND[type] ?? {};
}

function lessonOfChoices(choices: readonly string[]): Lesson {
  const shown = choices.slice(0, 12).join(', ');
  const expected = `one of ${shown}${choices.length > 12 ? ` … (${choices.length} in all)` : ''}`;
  return { expected, ...(choices[0] && { example: choices[0] }) };
}

/** ` Did you mean "x"?`, or nothing. */
export function didYouMean(word: unknown, candidates: readonly string[]): string {
  const near = typeof word === 'string' ? nearest(word, candidates) : undefined;
  return near === undefined ? '' : ` Did you mean "${near}"?`;
}
