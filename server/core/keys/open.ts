import { createSecretKey } from 'node:crypto';
import type { Clock } from '#base/clock';
import { type DataTypeId, SubjectId, type TenantId } from '#base/ids';
import type { Permit } from '#core/policy';
import type { Destroyed, Evict, Keeper, Missing, OpenedKey, Trace } from '#platform/keeper';
import { keysProblem } from './errors.ts';
import { keyIdOf, openField, sealField } from './fields.ts';
import { KeyCache } from './key-cache.ts';
import type { Handle, OpenKey, SealPlace, SubjectKey } from './model.ts';
import { nameOf, SharedKeys } from './shared-keys.ts';
import { type Halves, TenantKeys } from './tenant-keys.ts';
import { VaultKey } from './vault.ts';

/** No server holds an opened key for longer. */
export const CACHE_LIFE_MS = 60_000;
const CACHE_KEYS_MAX = 200_000;

export type KeysOptions = {
  readonly keeper: Keeper;
  readonly clock: Clock;
  /** How long a type's data are kept, in milliseconds: a day's key is destroyed that much later. */
  readonly retainMs?: (tenant: TenantId, type: DataTypeId) => number | undefined;
  /** At most, and by default, 60,000. */
  readonly cacheLifeMs?: number;
  readonly cacheKeysMax?: number;
};

export type Forgotten = Destroyed & {
  /** When no server can hold the key any longer: now, or a minute on for one that was cut off. */
  readonly forgottenBy: Date;
};

export type Keys = {
  /** Opens what `hash` and handles need. Call for each tenant before it is served. */
  prepare(tenant: TenantId): Promise<void>;
  /** A key that is open already; never waits. */
  cached(tenant: TenantId, handle: Handle): SubjectKey | undefined;
  /** One round trip for all; `undefined` for who is not known, was erased, or is hidden. */
  subjects(
    tenant: TenantId,
    handles: readonly Handle[],
    options: { readonly create: boolean },
  ): Promise<(SubjectKey | undefined)[]>;
  /** The same, with the reason why there is no key. */
  find(
    tenant: TenantId,
    handles: readonly Handle[],
    options: { readonly create: boolean },
  ): Promise<(SubjectKey | Missing)[]>;
  /** Opens keys of people whose opaque ids are known, to read what they sealed. Not cached. */
  openSubjects(
    tenant: TenantId,
    subjects: readonly SubjectId[],
  ): Promise<(SubjectKey | undefined)[]>;
  /**
   * Records that `from` is `to`; whoever erases `to` erases `from` too.
   *
   * @param as  `claimed`: nobody stands behind it (anybody may hold a browser's key), so it counts
   * only while `from` is nobody else's, and vouches for nothing. `same`: both are names of one person
   * rather than a device and who used it, so whoever erases `from` erases `to` as well.
   * @returns false when it was refused, because `from` is another person's.
   */
  link(tenant: TenantId, from: Handle, to: Handle, as?: 'claimed' | 'same'): Promise<boolean>;
  /** Whether somebody who holds a secret said that both are one person. Makes nobody known. */
  vouches(tenant: TenantId, from: Handle, to: Handle): Promise<boolean>;
  /** The subjects that an erasure of this one takes along, itself first. */
  linked(tenant: TenantId, subject: SubjectId): Promise<SubjectId[]>;
  /** Who a handle stands for, hidden or not; `erased` for as long as the tombstone stands. */
  whois(tenant: TenantId, handle: Handle): Promise<SubjectId | 'unknown' | 'erased'>;
  /** A handle as it lies in the keyring: what a search for its bytes looks for. */
  blindIndex(tenant: TenantId, handle: Handle): Promise<Buffer>;
  /** What of these people lies in the keyring: random numbers, nothing that opens anything. */
  traces(tenant: TenantId, subjects: readonly SubjectId[]): Promise<Trace[]>;
  /** The key of a data type, or of a day (counted since 1970) of it. */
  shared(tenant: TenantId, type: DataTypeId, day: number | undefined): Promise<SubjectKey>;
  /** An older version of such a key: the one that the frame names. */
  sharedOf(
    tenant: TenantId,
    place: { type: DataTypeId; day: number | undefined },
    frame: Buffer,
  ): Promise<OpenKey | undefined>;
  seal(key: OpenKey, plaintext: Buffer, place: SealPlace): Buffer;
  /** @throws Problem sealed-text-invalid. */
  open(key: OpenKey, frame: Buffer, place: SealPlace): Buffer;
  /** 64 bits under a key of the tenant, or of a day. @throws Problem keys-not-ready. */
  hash(tenant: TenantId, word: string, text: string, day?: number): Halves;
  /** The same as one number. */
  pseudonym(tenant: TenantId, word: string, text: string, day?: number): bigint;
  /** A key of the vault; it seals freely and opens for a permit only. */
  vault(tenant: TenantId, name: string): Promise<VaultKey>;
  /** Hides a person: the key is re-wrapped under the quarantine key until `destroyAt`. */
  quarantine(
    permit: Permit<'subject.erase'>,
    subject: SubjectId,
    destroyAt: Date,
  ): Promise<Forgotten>;
  release(permit: Permit<'subject.erase'>, subject: SubjectId): Promise<number>;
  /** Destroys a person's keys and those linked to them, for good. Safe to repeat. */
  destroy(permit: Permit<'subject.erase'>, subject: SubjectId, lateUntil: Date): Promise<Forgotten>;
  /** Destroys a key of the vault, in every version. What it sealed opens no more. */
  destroyVault(permit: Permit<'key.destroy'>, name: string): Promise<Forgotten>;
  /** Destroys what is due: keys of days, quarantined people, tombstones past their window. */
  destroyDue(lateUntil: Date): Promise<{ subjects: number; named: number; tombstones: number }>;
  /** Told of each destruction before it is answered; the keeper waits for the promise. */
  onDestroyed(listener: (evict: Evict) => void | Promise<void>): void;
  close(): void;
};

/** Opens keys through the keeper; nothing of it is written anywhere. */
export function openKeys(options: KeysOptions): Keys {
  const { keeper, clock } = options;
  const lifeMs = Math.min(options.cacheLifeMs ?? CACHE_LIFE_MS, CACHE_LIFE_MS);
  const cache = new KeyCache({ lifeMs, keysMax: options.cacheKeysMax ?? CACHE_KEYS_MAX });
  const tenantKeys = new TenantKeys(keeper, clock);
  const retainMs = options.retainMs ?? (() => undefined);
  const shared = new SharedKeys({ keeper, clock, lifeMs, retainMs });
  const now = () => clock.now().getTime();
  const listeners: ((evict: Evict) => void | Promise<void>)[] = [];

  keeper.onEvict(async (evict) => {
    cache.drop(evict.subjects);
    shared.drop(evict.tenant, evict.names);
    if (evict.all) for (const held of [cache, shared, tenantKeys]) held.forget(evict.tenant);
    for (const listener of listeners) await listener(evict);
  });
  // Destructions may have been missed while the connection was down.
  keeper.onLost(() => {
    cache.clear();
    shared.clear();
  });

  async function find(
    tenant: TenantId,
    handles: readonly Handle[],
    { create }: { readonly create: boolean },
  ) {
    await tenantKeys.prepare(tenant);
    const found = handles.map((handle) => cache.get(nameIn(tenant, handle)));
    const asked = [...found.keys()].filter(
      (at) => found[at] === undefined || (create && found[at] === 'unknown'),
    );
    if (asked.length > 0) {
      const answers = await keeper.call('subjects', {
        tenant,
        handles: asked.map((at) => tenantKeys.indexOf(tenant, handles[at] as Handle)),
        create,
        at: now(),
      });
      for (const [index, at] of asked.entries()) {
        const answer = answers[index] ?? 'unknown';
        const entry = typeof answer === 'string' ? answer : opened(answer);
        if (entry === 'unknown' || typeof entry !== 'string') {
          cache.put(nameIn(tenant, handles[at] as Handle), entry);
        }
        found[at] = entry as SubjectKey;
      }
    }
    return found as (SubjectKey | Missing)[];
  }

  const forgotten = (gone: Destroyed): Forgotten => ({
    ...gone,
    forgottenBy: new Date(now() + (gone.cutOff > 0 ? CACHE_LIFE_MS : 0)),
  });
  const hash = tenantKeys.hash.bind(tenantKeys);
  const pairOf = (tenant: TenantId, from: Handle, to: Handle) => ({
    from: tenantKeys.indexOf(tenant, from),
    to: tenantKeys.indexOf(tenant, to),
  });

  return {
    find,
    hash,
    seal: sealField,
    open: openField,
    prepare: (tenant) => tenantKeys.prepare(tenant),
    cached(tenant, handle) {
      const found = cache.get(nameIn(tenant, handle));
      return found === 'unknown' ? undefined : found;
    },
    subjects: async (tenant, handles, given) => (await find(tenant, handles, given)).map(known),
    async openSubjects(tenant, subjects) {
      const answers = await keeper.call('open', { tenant, subjects: [...subjects], at: now() });
      return answers.map((answer) => (typeof answer === 'string' ? undefined : opened(answer)));
    },
    async link(tenant, from, to, as) {
      const pair = `${as ?? ''}|${nameIn(tenant, from)}|${nameIn(tenant, to)}`;
      if (cache.hasLink(pair)) return true;
      await tenantKeys.prepare(tenant);
      const ask = {
        tenant,
        ...pairOf(tenant, from, to),
        at: now(),
        ...(as && { as }),
      };
      const { linked, taken = false } = await keeper.call('link', ask);
      if (linked) cache.noteLink(pair);
      return !taken;
    },
    async vouches(tenant, from, to) {
      await tenantKeys.prepare(tenant);
      return keeper.call('vouched', { tenant, ...pairOf(tenant, from, to) });
    },
    async linked(tenant, subject) {
      return (await keeper.call('linked', { tenant, subject })).map(SubjectId);
    },
    async whois(tenant, handle) {
      await tenantKeys.prepare(tenant);
      const handles = [tenantKeys.indexOf(tenant, handle)];
      const [found = 'unknown'] = await keeper.call('whois', { tenant, handles, at: now() });
      return typeof found === 'string' ? found : SubjectId(found.subject);
    },
    async blindIndex(tenant, handle) {
      await tenantKeys.prepare(tenant);
      return Buffer.from(tenantKeys.indexOf(tenant, handle), 'base64');
    },
    traces: (tenant, subjects) => keeper.call('traces', { tenant, subjects: [...subjects] }),
    shared: (tenant, type, day) => shared.key({ tenant, type, day }),
    async sharedOf(tenant, place, frame) {
      const keyId = keyIdOf(frame);
      const ask = { tenant, name: nameOf(place), keyId: keyId.toString('base64') };
      const found = await keeper.call('namedVersion', ask);
      if (found === 'unknown') return undefined;
      return { key: createSecretKey(Buffer.from(found.key, 'base64')), keyId: Buffer.from(keyId) };
    },
    pseudonym(tenant, word, text, day) {
      const { low, high } = hash(tenant, word, text, day);
      return (BigInt(high) << 32n) | BigInt(low);
    },
    async vault(tenant, name) {
      const key = { tenant, name: `vault/${name}`, class: 'vault' as const, at: now() };
      const [named] = await keeper.call('named', { keys: [key] });
      if (!named) throw keysProblem('keys-not-ready', 'the keeper gave no key');
      return new VaultKey(Buffer.from(named.key, 'base64'), Buffer.from(named.keyId, 'base64'));
    },
    async quarantine({ tenant }, subject, destroyAt) {
      const ask = { tenant, subject, destroyAt: destroyAt.getTime() };
      return forgotten(await keeper.call('quarantine', ask));
    },
    async release({ tenant }, subject) {
      return (await keeper.call('release', { tenant, subject })).released;
    },
    async destroy({ tenant }, subject, lateUntil) {
      const ask = { tenant, subject, at: now(), lateUntil: lateUntil.getTime() };
      return forgotten(await keeper.call('destroy', ask));
    },
    async destroyVault({ tenant }, name) {
      return forgotten(await keeper.call('destroyNamed', { tenant, name: `vault/${name}` }));
    },
    destroyDue: (lateUntil) =>
      keeper.call('destroyDue', { at: now(), lateUntil: lateUntil.getTime() }),
    onDestroyed: (listener) => void listeners.push(listener),
    close() {
      tenantKeys.close();
      cache.clear();
      shared.clear();
      keeper.close();
    },
  };
}

const nameIn = (tenant: TenantId, { kind, value }: Handle) => `${tenant}|${kind}|${value}`;

const known = (answer: SubjectKey | Missing) => (typeof answer === 'string' ? undefined : answer);

function opened({ subject, key, keyId, created }: OpenedKey): SubjectKey {
  const raw = Buffer.from(key, 'base64');
  const object = createSecretKey(raw);
  raw.fill(0);
  return { subject: SubjectId(subject), key: object, keyId: Buffer.from(keyId, 'base64'), created };
}
