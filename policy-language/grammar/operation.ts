/** How the service is run: the door, protection, statistics, backups, prices. */
import { z } from 'zod';
import { Use } from './data.ts';
import {
  Bytes,
  Currency,
  Duration,
  Name,
  Period,
  Scalar,
  Text,
  table,
  teachings,
  Word,
} from './words.ts';

const Enrichment = z.strictObject({
  default: z.enum(['on', 'off']),
  'can-disable': z.boolean(),
  precision: z.enum(['country', 'region', 'city', 'class', 'version', 'offset']).optional(),
  purpose: Word.optional(),
});

export const STRIP_CLASSES = [
  'email',
  'phone',
  'card',
  'iban',
  'address',
  'message',
  'query-string',
  'person-name',
  'national-id',
  'credential',
  'ip-address',
] as const;

export const Ingest = z.strictObject({
  address: z
    .strictObject({
      use: z.enum(['geolocation', 'security', 'none']),
      after: z.enum(['truncate', 'keyed-hash', 'drop']),
      'store-in': Word.optional(),
      hold: Duration.optional(),
    })
    .optional(),
  enrich: z
    .strictObject({
      geolocation: Enrichment.optional(),
      device: Enrichment.optional(),
      'time-zone': Enrichment.optional(),
      session: Enrichment.optional(),
      referrer: Enrichment.optional(),
    })
    .optional(),
  strip: z.array(z.enum(STRIP_CLASSES)).optional(),
  limits: z
    .strictObject({
      'events-per-second': z.int().positive().optional(),
      'requests-per-minute': z.int().positive().optional(),
      batch: z.int().positive().max(10_000).optional(),
      body: Bytes.optional(),
      event: Bytes.optional(),
    })
    .optional(),
  skew: Duration.optional(),
});

const Threshold = z.union([
  z.int().positive(),
  z.strictObject({ users: z.int().positive().optional(), items: z.int().positive().optional() }),
]);

export const Insights = z.strictObject({
  k: z.int().min(1).max(10_000).optional(),
  thresholds: table(Word, Threshold).optional(),
  epsilon: table(Word, z.number().positive().max(100)).optional(),
  sensitivity: z.number().positive().optional(),
  noise: z.enum(['discrete-laplace', 'discrete-gaussian']).optional(),
  'when-exhausted': z.enum(['refuse']).optional(),
});

const Password = z.strictObject({
  hash: z.enum(['bcrypt', 'argon2id', 'scrypt']),
  cost: z.int().min(4).max(31).optional(),
  'long-input': z.enum(['prehash', 'reject', 'truncate']).optional(),
});

const SecondFactor = z.strictObject({
  roles: z.array(Word).optional(),
  methods: z.array(Word).optional(),
  required: z.boolean().optional(),
});

export const Security = z.strictObject({
  tls: z.enum(['1.2', '1.3']).optional(),
  'forward-secrecy': z.boolean().optional(),
  'at-rest': z.enum(['AES-256-GCM', 'XAES-256-GCM']).optional(),
  vault: z.enum(['AES-256-GCM', 'XAES-256-GCM']).optional(),
  'request-signature': z.enum(['hmac-sha256', 'ed25519']).optional(),
  'webhook-signature': z.enum(['hmac-sha256', 'ed25519']).optional(),
  password: Password.optional(),
  sessions: z
    .strictObject({
      idle: Duration.optional(),
      total: Duration.optional(),
      token: Duration.optional(),
      'revocation-list': z.boolean().optional(),
    })
    .optional(),
  'second-factor': SecondFactor.optional(),
  login: z
    .strictObject({
      attempts: z.int().positive(),
      within: Period,
      'lock-for': Duration.optional(),
    })
    .optional(),
  keys: z
    .strictObject({
      rotate: Period.optional(),
      management: Text.optional(),
      'subject-keys': z.boolean().optional(),
      'outside-backups': z.boolean().optional(),
    })
    .optional(),
  headers: z.array(Text).optional(),
  events: z.array(Name).optional(),
  reviews: table(Word, Duration).optional(),
  patches: table(Word, Duration).optional(),
});

export const Backups = z.strictObject({
  keep: Period.optional(),
  every: Period.optional(),
  'point-in-time': Duration.optional(),
  'purge-within': Duration.optional(),
  rpo: Duration.optional(),
  rto: Duration.optional(),
  'test-every': Period.optional(),
  encryption: z.enum(['AES-256-GCM', 'XAES-256-GCM']).optional(),
  replicated: z.boolean().optional(),
});

export const Role = z.union([
  z.array(Name),
  z.strictObject({
    title: Text.optional(),
    level: Text.optional(),
    permissions: z.array(Name),
    'sees-others': z.boolean().optional(),
  }),
]);

export const Price = z.strictObject({
  meter: Word,
  title: Text.optional(),
  'amount-cents': z.int().min(0),
  currency: Currency,
  per: z.union([Duration, Word]).optional(),
  'counted-when': Word.optional(),
});

export const ForbiddenUses = z.array(Use);

const States = z.array(Word).min(2);
teachings.add(States, { expected: 'a list of at least two states', example: '[open, done]' });

/** Work orders: the states an order walks through and the one step that is billed. */
export const WorkOrders = z.strictObject({
  states: States,
  billed: z.strictObject({ from: Word, to: Word }),
});

export const Federated = z.strictObject({
  'clients-min': z.int().min(2).optional(),
  shares: z.array(z.enum(['masked-updates', 'aggregates'])).optional(),
  settings: table(Name, Scalar).optional(),
});
