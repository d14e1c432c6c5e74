/** The words of the grammar: ids, durations, dates, lines. Each teaches what it expects. */
import { z } from 'zod';
import { DURATION_SHAPE, tryDuration } from '#language/duration';

/** Attached to every schema below; the reader prints them beside an error. */
export type Teaching = { readonly expected: string; readonly example: string };

/** What each schema expects; `reading/` looks it up when a value does not fit. */
export const teachings = z.registry<Teaching>();

function taught<Schema extends z.ZodType>(schema: Schema, expected: string, example: string) {
  teachings.add(schema, { expected, example });
  return schema.describe(`${expected}, for example ${example}`);
}

/** A text of one form, which teaches what it expects. */
export function pattern(regex: RegExp, expected: string, example: string) {
  return taught(z.string().regex(regex, `expected ${expected}`), expected, example);
}

/** February 30 becomes March 2, and then is not what was written. */
function isDay(written: string): boolean {
  const time = Date.parse(written);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(written);
}

/** A length of time whose text has this shape and which the reader of lengths takes. */
function lengthOfTime(shape: RegExp, expected: string) {
  const text = z
    .string()
    .regex(shape, { error: `expected ${expected}`, abort: true })
    .refine((written) => tryDuration(written) !== undefined, 'that is more than 100 years');
  return taught(text, expected, 'P90D');
}

export const Word = pattern(
  /^[a-z][a-z0-9-]{0,40}$/,
  'a lower-case word with hyphens, at most 41 characters',
  'agent-commands',
);
export const TenantWord = pattern(
  /^[a-z][a-z0-9-]{0,29}[a-z0-9]$/,
  'a lower-case service id of 2 to 31 characters that ends in no hyphen',
  'clanker',
);
export const Name = pattern(
  /^[A-Za-z][A-Za-z0-9_:.-]{0,63}$/,
  'a name of letters, digits, _ : . and -, at most 64 characters',
  'performanceMonitoring',
);
export const FieldName = pattern(
  /^[a-z][A-Za-z0-9_]{0,47}$/,
  'a field name of letters, digits and _, starting with a small letter',
  'duration_ms',
);
export const ControlName = pattern(
  /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/,
  'the name of a control: area, dot, word',
  'retention.limit',
);
export const PromiseWord = pattern(
  /^[A-Z]{2,4}-[0-9]{2,4}$/,
  'a promise id: 2 to 4 capitals, hyphen, 2 to 4 digits',
  'CW-11',
);
export const Duration = lengthOfTime(DURATION_SHAPE, 'an ISO 8601 duration of at most 100 years');
/** Of what is kept, and of what comes round: no time at all would be a slip of the pen. */
export const Period = lengthOfTime(
  new RegExp(DURATION_SHAPE.source.replace('^P', '^P(?=.*[1-9])')),
  'an ISO 8601 duration of more than zero and at most 100 years',
);
export const IsoDate = taught(
  z
    .string()
    .regex(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, {
      error: 'expected a date as year-month-day',
      abort: true,
    })
    .refine(isDay, 'the month has no such day'),
  'a date as year-month-day',
  '2025-11-18',
);
export const Version = pattern(/^\d+\.\d+(\.\d+)?$/, 'a version', '2.0.0');
export const Currency = pattern(/^[A-Z]{3}$/, 'an ISO 4217 currency', 'USD');
export const Bytes = pattern(
  /^[1-9][0-9]*(B|KB|MB|GB|TB)$/,
  'a size in B, KB, MB, GB or TB (powers of 1024)',
  '512KB',
);
export const Language = pattern(/^[a-z]{2}(-[A-Z]{2})?$/, 'a language tag', 'en');
export const Region = pattern(
  /^[A-Z]{2,3}(-[A-Z0-9]{1,3})?$/,
  'a country or union in capitals, with a subdivision where needed',
  'EU',
);
export const Text = taught(
  z.string().min(1, 'expected a text that is not empty').max(4000),
  'a text that is not empty, at most 4,000 characters',
  '"Agent Commands"',
);
export const Email = pattern(
  /^[^\s@<>"]+@[^\s@<>"]+\.[^\s@<>"]+$/,
  'an e-mail address',
  'privacy@clanker.works',
);
/** No prose is longer, and a longer range would only be work. */
const LINE_MAX = 100_000;

function areLines(written: string): boolean {
  return written.split(',').every((part) => {
    const [from = 0, to = from] = part.split('-').map(Number);
    return from >= 1 && from <= to && to <= LINE_MAX;
  });
}

export const Lines = taught(
  z.union([
    z.int().positive().max(LINE_MAX),
    z
      .string()
      .regex(/^\d+(-\d+)?(,\s*\d+(-\d+)?)*$/, {
        error: 'expected lines such as "63-64, 70"',
        abort: true,
      })
      .refine(areLines, `a range runs upwards, and no line is above ${LINE_MAX}`),
  ]),
  'a line number or a list of lines and ranges',
  '"63-64, 70"',
);
export const ConfigPath = pattern(
  /^[a-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$/,
  'the path of a value in this document, with dots',
  'controller.contacts.privacy.email',
);
export const Scalar = z.union([z.string(), z.number(), z.boolean()]);
/** A value that JSON can carry, for the parameters of a control. */
export const Json: z.ZodType<unknown> = z.json();

/** A record whose keys and values are both checked; zod refuses unknown shapes of key. */
export function table<Key extends z.ZodType<string>, Value extends z.ZodType>(
  key: Key,
  value: Value,
) {
  return z.record(key, value);
}
