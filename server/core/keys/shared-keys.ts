/** Keys without a person: of a data type, or of one day of it. Leased in blocks of seals. */
import { createSecretKey } from 'node:crypto';
import type { Clock } from '#base/clock';
import type { DataTypeId, TenantId } from '#base/ids';
import { type Keeper, SEALS_MAX } from '#platform/keeper';
import { NOBODY, type SubjectKey } from './model.ts';
import { DAY_MS } from './tenant-keys.ts';

/** Counted before use, so a crash loses at most this many of 2^28. */
const LEASE_SEALS = 2 ** 18;

type Leased = { key: SubjectKey; left: number; since: number };
type Shared = { tenant: TenantId; type: DataTypeId; day: number | undefined };

export class SharedKeys {
  readonly #keeper: Keeper;
  readonly #clock: Clock;
  readonly #lifeMs: number;
  readonly #retainMs: (tenant: TenantId, type: DataTypeId) => number | undefined;
  readonly #leases = new Map<string, Leased>();
  readonly #asking = new Map<string, Promise<Leased>>();

  constructor(given: {
    keeper: Keeper;
    clock: Clock;
    lifeMs: number;
    retainMs: (tenant: TenantId, type: DataTypeId) => number | undefined;
  }) {
    this.#keeper = given.keeper;
    this.#clock = given.clock;
    this.#lifeMs = given.lifeMs;
    this.#retainMs = given.retainMs;
  }

  /** The key for one more seal. */
  async key(shared: Shared): Promise<SubjectKey> {
    const name = nameOf(shared);
    const place = `${shared.tenant}|${name}`;
    let leased = this.#leases.get(place);
    const stale = leased && (leased.left <= 0 || performance.now() - leased.since > this.#lifeMs);
    if (!leased || stale) {
      let asking = this.#asking.get(place);
      if (!asking) {
        asking = this.#lease(shared, name).finally(() => this.#asking.delete(place));
        this.#asking.set(place, asking);
      }
      leased = await asking;
    }
    leased.left -= 1;
    return leased.key;
  }

  drop(tenant: string, names: readonly string[]): void {
    for (const name of names) this.#leases.delete(`${tenant}|${name}`);
  }

  /** Everything of a tenant. */
  forget(tenant: string): void {
    for (const place of this.#leases.keys()) {
      if (place.startsWith(`${tenant}|`)) this.#leases.delete(place);
    }
  }

  clear(): void {
    this.#leases.clear();
  }

  async #lease({ tenant, type, day }: Shared, name: string): Promise<Leased> {
    const retainMs = this.#retainMs(tenant, type);
    const ends = day !== undefined && retainMs !== undefined && Number.isFinite(retainMs);
    const [named] = await this.#keeper.call('named', {
      keys: [
        {
          tenant,
          name,
          class: day === undefined ? ('type' as const) : ('period' as const),
          at: this.#clock.now().getTime(),
          lease: Math.min(LEASE_SEALS, SEALS_MAX),
          ...(ends ? { destroyAt: (day + 1) * DAY_MS + retainMs } : {}),
        },
      ],
    });
    if (!named) throw new Error('the keeper gave no key');
    const key = {
      subject: NOBODY,
      key: createSecretKey(Buffer.from(named.key, 'base64')),
      keyId: Buffer.from(named.keyId, 'base64'),
      created: false,
    };
    const leased = { key, left: LEASE_SEALS, since: performance.now() };
    this.#leases.set(`${tenant}|${name}`, leased);
    return leased;
  }
}

export const nameOf = ({ type, day }: Pick<Shared, 'type' | 'day'>) =>
  day === undefined ? `type/${type}` : `period/${type}/${day}`;
