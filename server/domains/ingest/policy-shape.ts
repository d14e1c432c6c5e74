/** The parts of a policy that decide about events, as the policy language types them. */
import { parseDuration } from '@troth/policy-language';
import type { DeclaredField } from './fields.ts';

export type PolicyPurpose = {
  readonly basis: string;
  readonly required?: boolean | undefined;
  readonly optional?: boolean | undefined;
  readonly default?: 'on' | 'off' | undefined;
  readonly aliases?: readonly string[] | undefined;
};

type Tiers = {
  readonly active: string;
  readonly archive?: string | undefined;
  readonly total?: string | undefined;
};

export type PolicyDataType = {
  readonly from: string;
  readonly 'event-names'?: readonly string[] | undefined;
  readonly purposes: readonly string[];
  readonly 'consent-purpose'?: string | undefined;
  readonly retain?: string | Tiers | undefined;
  readonly key: 'subject' | 'period' | 'type' | 'none';
  readonly fields?: Readonly<Record<string, string | DeclaredField>> | undefined;
};

type Enrich = {
  readonly default: 'on' | 'off';
  readonly 'can-disable': boolean;
  readonly precision?: string | undefined;
};

export type EnrichmentName = 'geolocation' | 'device' | 'time-zone' | 'session' | 'referrer';

export type IngestPolicy = {
  readonly age?:
    | {
        readonly minimum: number;
        readonly regions?: Readonly<Record<string, number>> | undefined;
        readonly below: 'refuse' | 'purge';
      }
    | undefined;
  readonly purposes: Readonly<Record<string, PolicyPurpose>>;
  readonly data: Readonly<Record<string, PolicyDataType>>;
  readonly consent?:
    | {
        readonly signals?:
          | Readonly<
              Partial<Record<'gpc' | 'dnt' | 'do-not-sell', { withdraws: string[] } | undefined>>
            >
          | undefined;
        readonly precedence?: readonly ('gpc' | 'dnt' | 'do-not-sell' | 'consent')[] | undefined;
      }
    | undefined;
  readonly identify?:
    | {
        readonly modes: readonly string[];
        readonly consent?: string | undefined;
        readonly traits?:
          | {
              readonly pseudonymous?: Readonly<Record<string, unknown>> | undefined;
              readonly identified?: Readonly<Record<string, unknown>> | undefined;
            }
          | undefined;
      }
    | undefined;
  readonly ingest?:
    | {
        readonly address?:
          | {
              readonly after: 'truncate' | 'keyed-hash' | 'drop';
              readonly 'store-in'?: string | undefined;
            }
          | undefined;
        readonly enrich?: Readonly<Partial<Record<EnrichmentName, Enrich | undefined>>> | undefined;
        readonly strip?: readonly string[] | undefined;
        readonly limits?:
          | {
              readonly 'events-per-second'?: number | undefined;
              readonly batch?: number | undefined;
              readonly body?: string | undefined;
            }
          | undefined;
        readonly skew?: string | undefined;
      }
    | undefined;
};

/** Retention in milliseconds; Infinity for a word such as `until-deleted`, which a sweep decides. */
export function retentionMilliseconds(retain: string | Tiers | undefined): number {
  if (retain === undefined) return Number.POSITIVE_INFINITY;
  if (typeof retain !== 'string') return retentionMilliseconds(retain.total ?? retain.active);
  return retain.startsWith('P') ? parseDuration(retain).milliseconds : Number.POSITIVE_INFINITY;
}

const UNITS: Readonly<Record<string, number>> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };

/** "512KB" in bytes. */
export function bytesOf(text: string): number {
  const [, count = '0', unit = 'B'] = /^(\d+)(B|KB|MB|GB)$/.exec(text) ?? [];
  return Number(count) * (UNITS[unit] ?? 1);
}
