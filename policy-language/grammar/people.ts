/** Who answers for the service, and what people may demand of it. */
import { z } from 'zod';
import {
  Bytes,
  Duration,
  Email,
  IsoDate,
  Language,
  Name,
  Region,
  Scalar,
  Text,
  table,
  teachings,
  Word,
} from './words.ts';

const Contact = z.strictObject({
  name: Text.optional(),
  title: Text.optional(),
  email: Email.optional(),
  phone: Text.optional(),
  hours: Text.optional(),
  languages: z.array(Text).min(1).optional(),
  'answers-within': Duration.optional(),
  url: Text.optional(),
  pgp: Text.optional(),
  note: Text.optional(),
});

const Representative = z.strictObject({
  name: Text,
  email: Email,
  address: Text.optional(),
});

export const Controller = z.strictObject({
  name: Text,
  address: Text.optional(),
  contacts: table(Word, Contact),
  representatives: table(Word, Representative).optional(),
});

teachings.add(Controller, {
  expected: 'an object with name, address, contacts, representatives',
  example: '{ name: Example Ltd, contacts: { privacy: { email: privacy@example.com } } }',
});

export const Age = z.strictObject({
  minimum: z.int().min(0).max(21),
  regions: table(Region, z.int().min(0).max(21)).optional(),
  below: z.enum(['refuse', 'purge']),
});

const Right = z.strictObject({
  within: Duration.optional(),
  /** How long an erasure can be undone by the person; P0D means at once and for good. */
  recoverable: Duration.optional(),
  'hidden-within': Duration.optional(),
  'destroyed-within': Duration.optional(),
  'backups-within': Duration.optional(),
  formats: z.array(Word).min(1).optional(),
  methods: z.array(Word).min(1).optional(),
  'size-limit': Bytes.optional(),
  certificate: z.boolean().optional(),
  verification: Word.optional(),
  contact: Word.optional(),
  path: Text.optional(),
  unless: z.array(Text).optional(),
  'applies-to': z.array(Name).optional(),
  note: Text.optional(),
});

/** Every right that the vocabulary knows; see vocabulary/rights.ts for the articles. */
export const Rights = z.strictObject({
  informed: Right.optional(),
  access: Right.optional(),
  rectification: Right.optional(),
  erasure: Right.optional(),
  portability: Right.optional(),
  restriction: Right.optional(),
  objection: Right.optional(),
  'withdraw-consent': Right.optional(),
  'automated-decisions': Right.optional(),
  complaint: Right.optional(),
  'opt-out-of-sale': Right.optional(),
  'non-discrimination': Right.optional(),
});

const SIGNALS = ['gpc', 'dnt', 'do-not-sell'] as const;

const Signal = z.strictObject({
  withdraws: z.array(Word),
  recipients: z.enum(['optional', 'all', 'none']).optional(),
});

export const Consent = z.strictObject({
  notice: z.strictObject({
    version: Text,
    languages: z.array(Language).min(1),
    url: Text.optional(),
  }),
  signals: z
    .strictObject({
      gpc: Signal.optional(),
      dnt: Signal.optional(),
      'do-not-sell': Signal.optional(),
    })
    .optional(),
  precedence: z
    .array(z.enum([...SIGNALS, 'consent']))
    .min(1)
    .optional(),
});

export const Changes = z.strictObject({
  'material-notice': Duration.optional(),
  channels: z.array(Word).min(1).optional(),
  reasons: z.array(Text).optional(),
  url: Text.optional(),
  history: Text.optional(),
});

export const Incidents = z.strictObject({
  clocks: table(Word, Duration),
  starts: z.enum(['detection', 'awareness', 'confirmation']),
  'notify-from': z.enum(['low', 'medium', 'high', 'critical']).optional(),
  channels: z.array(Word).optional(),
  contents: z.array(Text).optional(),
  events: z.array(Name).optional(),
});

export const Resolution = z.strictObject({
  finding: z.string().min(3),
  promises: z.array(z.string()).min(1).optional(),
  decision: Text,
  because: Text,
  on: IsoDate,
  by: Word.optional(),
});

export const Statements = table(
  Name,
  z.union([Scalar, z.array(Scalar), table(Name, z.union([Scalar, z.array(Scalar)]))]),
);
