/**
 * The keys that turn what people typed into numbers: the blind index, and pseudonyms.
 *
 * They are asked for synchronously on the way of every event, so each tenant's are opened before,
 * for yesterday, today and tomorrow. A day's key is destroyed in the keeper two days after it
 * began: from then on nobody can compute that day's numbers again.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Clock } from '#base/clock';
import { meantId, type TenantId } from '#base/ids';
import type { Keeper, Named } from '#platform/keeper';
import { keysProblem } from './errors.ts';
import type { Handle } from './model.ts';

export const DAY_MS = 86_400_000;
const INDEX_BYTES = 16;
/** Tomorrow's keys are there long before midnight. */
const REFRESH_MS = 60_000;

export type Halves = { readonly low: number; readonly high: number };

type Opened = {
  readonly index: KeyObject;
  readonly lasting: KeyObject;
  readonly days: Map<number, KeyObject>;
};

const keyObject = (base64: string) => createSecretKey(Buffer.from(base64, 'base64'));

export class TenantKeys {
  readonly #keeper: Keeper;
  readonly #clock: Clock;
  readonly #opened = new Map<TenantId, Opened>();
  readonly #opening = new Map<TenantId, Promise<void>>();
  readonly #timer: NodeJS.Timeout;

  constructor(keeper: Keeper, clock: Clock) {
    this.#keeper = keeper;
    this.#clock = clock;
    this.#timer = setInterval(() => void this.#refresh(), REFRESH_MS);
    this.#timer.unref();
  }

  async prepare(tenant: TenantId): Promise<void> {
    if (this.#isFresh(tenant)) return;
    let opening = this.#opening.get(tenant);
    if (!opening) {
      opening = this.#open(tenant).finally(() => this.#opening.delete(tenant));
      this.#opening.set(tenant, opening);
    }
    await opening;
  }

  /** HMAC-SHA256 under the tenant's index key, cut to 16 bytes, in base64. */
  indexOf(tenant: TenantId, { kind, value }: Handle): string {
    const text = meantId(value);
    // Accounts are e-mail addresses: the same one however it was typed.
    const normal = kind === 'account' ? text.toLowerCase() : text;
    return createHmac('sha256', this.#of(tenant).index)
      .update(`${kind}|${normal}`)
      .digest()
      .subarray(0, INDEX_BYTES)
      .toString('base64');
  }

  /** 64 bits of HMAC-SHA256 under the tenant's key, or under that of a day since the epoch. */
  hash(tenant: TenantId, word: string, text: string, day?: number): Halves {
    const opened = this.#of(tenant);
    const key = day === undefined ? opened.lasting : opened.days.get(day);
    if (!key) throw keysProblem('keys-not-ready', 'the key of that day is not open');
    const digest = createHmac('sha256', key).update(`${word}|${text}`).digest();
    return { low: digest.readUInt32BE(4), high: digest.readUInt32BE(0) };
  }

  /** Everything of a tenant. */
  forget(tenant: string): void {
    this.#opened.delete(tenant as TenantId);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #today(): number {
    return Math.floor(this.#clock.now().getTime() / DAY_MS);
  }

  #isFresh(tenant: TenantId): boolean {
    const days = this.#opened.get(tenant)?.days;
    const today = this.#today();
    return days?.has(today) === true && days.has(today + 1);
  }

  #of(tenant: TenantId): Opened {
    const opened = this.#opened.get(tenant);
    if (opened) return opened;
    // Ready for the retry that the caller is told to make.
    void this.prepare(tenant).catch(() => undefined);
    throw keysProblem('keys-not-ready', 'try again in a moment', { retryAfterSeconds: 1 });
  }

  async #refresh(): Promise<void> {
    for (const tenant of this.#opened.keys()) await this.prepare(tenant).catch(() => undefined);
  }

  async #open(tenant: TenantId): Promise<void> {
    const at = this.#clock.now().getTime();
    const today = this.#today();
    const days = [today - 1, today, today + 1];
    const named = (name: string, of: Named['class'], destroyAt?: number): Named => ({
      tenant,
      name,
      class: of,
      at,
      ...(destroyAt === undefined ? {} : { destroyAt }),
    });
    const [index, lasting, ...daily] = await this.#keeper.call('named', {
      keys: [
        named('index', 'index'),
        named('pseudonym', 'pseudonym'),
        ...days.map((day) => named(`pseudonym/${day}`, 'pseudonym', (day + 2) * DAY_MS)),
      ],
    });
    if (!index || !lasting) throw keysProblem('keys-not-ready', 'the keeper gave too few keys');
    this.#opened.set(tenant, {
      index: keyObject(index.key),
      lasting: keyObject(lasting.key),
      days: new Map(days.map((day, at) => [day, keyObject(daily[at]?.key ?? '')])),
    });
  }
}
