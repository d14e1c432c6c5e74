/**
 * How much may be sent: events by tenant, requests by whoever shares a key, an address or a
 * person's id. Token buckets, refilled continuously.
 */
import { hash, randomBytes } from 'node:crypto';
import type { TenantId } from '#base/ids';

type Bucket = { tokens: number; at: number };

const EVENTS_DEPTH_SECONDS = 2;
const REQUESTS_DEPTH_SECONDS = 5;
/** Of one kind; the bucket that was made first goes first, and starts full when it comes back. */
const SENDERS_MAX = 20_000;

const KINDS = ['key', 'address', 'person'] as const;

/** Who sends a request, as far as it can be told. */
export type Sender = Readonly<Record<(typeof KINDS)[number], string | undefined>>;

export class RateLimits {
  readonly #events = new Map<string, Bucket>();
  readonly #requests = { key: buckets(), address: buckets(), person: buckets() };
  /** Buckets are found by digests under it: the map holds no address and no name. */
  readonly #salt = randomBytes(32).toString('base64url');

  /**
   * Takes `count` tokens of a tenant, two seconds deep.
   *
   * @param now milliseconds.
   * @returns 0 when they were there, else the seconds (at least 1) after which they may be. A
   * request          of more events than the bucket is deep passes when the bucket is full, and
   * drains it.
   */
  take(tenant: string, count: number, perSecond: number, now: number): number {
    const depth = perSecond * EVENTS_DEPTH_SECONDS;
    const bucket = filled(this.#events, tenant, { depth, perSecond, now });
    const needed = Math.min(count, depth);
    if (bucket.tokens < needed) return secondsUntil(needed - bucket.tokens, perSecond);
    bucket.tokens -= count;
    return 0;
  }

  /**
   * Takes one request of a key, of an address and of a person: of all three, or of none where one
   * has used up its five seconds' worth.
   *
   * @returns 0, or the seconds to wait, at least 1.
   */
  takeRequest(tenant: TenantId, sender: Sender, perMinute: number, now: number): number {
    const perSecond = perMinute / 60;
    const depth = Math.max(1, perSecond * REQUESTS_DEPTH_SECONDS);
    const taken: Bucket[] = [];
    for (const kind of KINDS) {
      const who = sender[kind];
      if (who === undefined) continue;
      const name = hash('sha256', `${this.#salt} ${tenant} ${who}`, 'base64url');
      const bucket = filled(this.#requests[kind], name, { depth, perSecond, now });
      if (bucket.tokens < 1) return secondsUntil(1 - bucket.tokens, perSecond);
      taken.push(bucket);
    }
    for (const bucket of taken) bucket.tokens -= 1;
    return 0;
  }
}

const buckets = () => new Map<string, Bucket>();

const secondsUntil = (tokens: number, perSecond: number) =>
  Math.max(1, Math.ceil(tokens / perSecond));

type Filling = { readonly depth: number; readonly perSecond: number; readonly now: number };

/** The bucket of a name, with what has flowed into it since it was last asked for. */
function filled(
  all: Map<string, Bucket>,
  name: string,
  { depth, perSecond, now }: Filling,
): Bucket {
  let bucket = all.get(name);
  if (bucket === undefined) {
    if (all.size >= SENDERS_MAX) all.delete(all.keys().next().value as string);
    bucket = { tokens: depth, at: now };
    all.set(name, bucket);
  }
  const passed = Math.max(0, now - bucket.at) / 1_000;
  bucket.tokens = Math.min(depth, bucket.tokens + passed * perSecond);
  bucket.at = now;
  return bucket;
}
