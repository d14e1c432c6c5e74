/** What is held, why, for how long, and under which protection. */
import { z } from 'zod';
import { DURATION_MAX_MS, tryDuration } from '#language/duration';
import { CATEGORY_KEYS, LEGAL_BASES, USE_KEYS } from '#vocabulary';
import {
  Duration,
  FieldName,
  Name,
  Period,
  pattern,
  Region,
  Scalar,
  Text,
  table,
  teachings,
  Word,
} from './words.ts';

export const Category = z.enum(CATEGORY_KEYS);
export const Use = z.enum(USE_KEYS);

export const Purpose = z.strictObject({
  title: Text.optional(),
  description: Text.optional(),
  use: Use,
  basis: z.enum(LEGAL_BASES),
  default: z.enum(['on', 'off']).optional(),
  required: z.boolean().optional(),
  optional: z.boolean().optional(),
  aliases: z.array(Name).optional(),
  parent: Word.optional(),
});

/** The words of time that are not a length: how long a record lives is then decided by an event. */
export const RETENTION_WORDS = ['session', 'until-deleted', 'until-revoked'] as const;

const WORDS = RETENTION_WORDS.join(', ');
const PERIOD = 'an ISO 8601 duration of more than zero and at most 100 years';

const Limit = z.union([Period, z.enum(RETENTION_WORDS)]);
teachings.add(Limit, { expected: `${PERIOD}, or one of ${WORDS}`, example: 'P90D' });

const msOf = (written: string | undefined) => tryDuration(written ?? '')?.milliseconds ?? 0;

const Tiers = z
  .strictObject({ active: Limit, archive: Period.optional(), total: Limit.optional() })
  .refine(
    ({ active, archive, total }) =>
      total !== undefined || msOf(active) + msOf(archive) <= DURATION_MAX_MS,
    { path: ['archive'], error: 'together with the active tier that is more than 100 years' },
  );

export const Retention = z.union([Limit, Tiers]);
const TIERS = 'tiers ({ active: P90D, archive: P2Y, total: P2Y })';
teachings.add(Retention, { expected: `${PERIOD}, one of ${WORDS}, or ${TIERS}`, example: 'P90D' });

/** What a customer may choose instead: also that nothing is kept. */
const Option = z.union([Duration, Limit, Tiers]);
teachings.add(Option, {
  expected: `an ISO 8601 duration of at most 100 years, one of ${WORDS}, or ${TIERS}`,
  example: 'P90D',
});

const FIELD_TYPES = [
  'string',
  'number',
  'integer',
  'boolean',
  'timestamp',
  'date',
  'month',
  'country',
  'url-path',
  'json',
] as const;

export const SHORT_FIELD = new RegExp(`^(?:(string)\\((\\d{1,5})\\)|(${FIELD_TYPES.join('|')}))$`);

const FIELD_TYPE = `a field type (${FIELD_TYPES.join(', ')}), a string with its length in brackets`;
const ShortField = pattern(SHORT_FIELD, FIELD_TYPE, 'string(64)');

const LongField = z.strictObject({
  type: ShortField.optional(),
  enum: z.array(z.string().min(1).max(64)).min(1).max(64).optional(),
  /** The largest size in characters (bytes for json). */
  max: z.int().positive().max(1_048_576).optional(),
  seal: z.enum(['subject', 'vault', 'end-to-end']).optional(),
  retain: Limit.optional(),
  category: Category.optional(),
  purposes: z.array(Word).optional(),
  optional: z.boolean().optional(),
  title: Text.optional(),
});

export const Field = z.union([ShortField, LongField]);
teachings.add(Field, {
  expected: `${FIELD_TYPE}, or an object with type or enum`,
  example: 'string(64)',
});

export const DataType = z.strictObject({
  title: Text,
  description: Text.optional(),
  from: Word,
  'event-names': z.array(z.string().min(1).max(128)).min(1).optional(),
  categories: z.array(Category).min(1),
  purposes: z.array(Word),
  'consent-purpose': Word.optional(),
  retain: Retention.optional(),
  /** Longer or shorter periods that a customer may choose: name → limit. */
  'retain-options': table(Word, Option).optional(),
  /** Deleted when the person has not been seen for this long. */
  inactive: Period.optional(),
  'purge-within': Duration.optional(),
  key: z.enum(['subject', 'period', 'type', 'none']),
  required: z.boolean().optional(),
  fields: table(FieldName, Field).optional(),
});

export const Cookie = z.strictObject({
  name: Text,
  purpose: Word,
  lifetime: z.union([Duration, z.literal('session')]),
  flags: z.array(Text).optional(),
  'idle-lifetime': Duration.optional(),
});

const Traits = table(FieldName, Field);

export const Identify = z.strictObject({
  modes: z.array(z.enum(['anonymous', 'pseudonymous', 'identified'])).min(1),
  default: z.enum(['anonymous', 'pseudonymous', 'identified']),
  consent: Word.optional(),
  traits: z
    .strictObject({ pseudonymous: Traits.optional(), identified: Traits.optional() })
    .optional(),
});

export const Recipient = z.strictObject({
  title: Text,
  role: z.enum(['processor', 'recipient', 'controller', 'authority']),
  purpose: Word.optional(),
  data: z.array(Word).optional(),
  fields: z.array(Name).optional(),
  country: Region.optional(),
  region: Text.optional(),
  safeguards: z.array(Word).optional(),
  optional: z.boolean().optional(),
  terms: table(Name, Scalar).optional(),
  url: Text.optional(),
  note: Text.optional(),
});

/** Where bytes live; a replica must hear every deletion too. */
export const Location = z.strictObject({
  title: Text.optional(),
  engine: Text,
  region: Text,
  replicas: z.array(Text).optional(),
});

export const Transfer = z.strictObject({
  to: z.array(Region).min(1).optional(),
  tool: z.enum(['adequacy', 'sccs', 'bcrs', 'art-49-consent', 'none-needed']),
  because: Text.optional(),
});

export const RegionalRule = z.strictObject({
  title: Text.optional(),
  'consent-required': z.boolean().optional(),
  'retain-at-most': Period.optional(),
  residency: Text.optional(),
});
