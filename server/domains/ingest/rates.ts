/**
 * How many events a tenant may send: one token bucket per tenant, refilled continuously, two
 * seconds deep. Asked twice: before the body is read, when the bucket is dry, and with the count
 * afterwards.
 */
type Bucket = { tokens: number; at: number };

const DEPTH_SECONDS = 2;

export class RateLimits {
  readonly #buckets = new Map<string, Bucket>();

  /**
   * Takes `count` tokens.
   *
   * @param now milliseconds.
   * @returns 0 when they were there, else the seconds (at least 1) after which they may be. A
   * request          of more events than the bucket is deep passes when the bucket is full, and
   * drains it.
   */
  take(tenant: string, count: number, perSecond: number, now: number): number {
    const depth = perSecond * DEPTH_SECONDS;
    let bucket = this.#buckets.get(tenant);
    if (bucket === undefined) {
      bucket = { tokens: depth, at: now };
      this.#buckets.set(tenant, bucket);
    }
    const passed = Math.max(0, now - bucket.at) / 1_000;
    bucket.tokens = Math.min(depth, bucket.tokens + passed * perSecond);
    bucket.at = now;
    const needed = Math.min(count, depth);
    if (bucket.tokens < needed) {
      return Math.max(1, Math.ceil((needed - bucket.tokens) / perSecond));
    }
    bucket.tokens -= count;
    return 0;
  }
}
