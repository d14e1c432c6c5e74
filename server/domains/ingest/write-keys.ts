/**
 * Write keys: `tk_<id>_<secret>`. The id is public and finds the key; the secret has 256 bits and
 * is kept as its SHA-256 only. Which tenant an event belongs to follows from the key, never from
 * what the sender says.
 *
 * There are two kinds. A *browser* key names the origins that may use it; it stands in a page, so
 * everybody has it and nobody is told apart by it. A *server* key is a secret that names no origin:
 * whoever bears it answers for the ids that they send. A browser that bears one is refused, so that
 * the mistake is noticed on the day it is made.
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { KeyId, type TenantId } from '#base/ids';
import { ingestProblem } from './errors.ts';

export const SCOPES = ['ingest', 'consent', 'erase'] as const;
export type Scope = (typeof SCOPES)[number];

const DOES: Readonly<Record<Scope, string>> = {
  ingest: 'send events',
  consent: 'speak of consent',
  erase: 'ask for erasures',
};

export type WriteKey = {
  readonly id: KeyId;
  readonly tenant: TenantId;
  readonly hash: Buffer;
  readonly scopes: readonly string[];
  /** Of a browser key: the origins that may use it, `*` for any. Null: a server key. */
  readonly origins: readonly string[] | null;
  readonly revoked: boolean;
};

export type KeyKind = 'browser' | 'server';
export const kindOf = ({ origins }: Pick<WriteKey, 'origins'>): KeyKind =>
  origins === null ? 'server' : 'browser';

export type Use = {
  readonly scope: Scope;
  /** Named in the path; undefined where it follows from the key. */
  readonly tenant: string | undefined;
  /** Of the page that sends the request; undefined where it comes from no page. */
  readonly origin: string | undefined;
};

/**
 * The key is genuine; may it do this, here, from there?
 *
 * @throws Problem ingest-key-not-allowed, ingest-origin-not-allowed
 */
export function admitKey(key: WriteKey, { scope, tenant, origin }: Use): void {
  if (tenant !== undefined && tenant !== key.tenant) {
    throw ingestProblem('ingest-key-not-allowed', 'the key belongs to another service');
  }
  if (!key.scopes.includes(scope)) {
    throw ingestProblem('ingest-key-not-allowed', `the key may not ${DOES[scope]}`);
  }
  if (origin === undefined || key.origins?.includes(origin) || key.origins?.includes('*')) return;
  const isSecret = kindOf(key) === 'server';
  const detail = isSecret ? 'a server key has no place in a page' : 'it is not for this origin';
  throw ingestProblem('ingest-origin-not-allowed', detail);
}

const SHAPE = /^tk_([A-Za-z0-9]{12})_([A-Za-z0-9_-]{43})$/;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A new key: the text that is shown once, and what is kept of it. */
export function makeWriteKey(): {
  readonly text: string;
  readonly id: KeyId;
  readonly hash: Buffer;
} {
  const id = Array.from(randomBytes(12), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
  const secret = randomBytes(32).toString('base64url');
  return { text: `tk_${id}_${secret}`, id: KeyId(id), hash: digest(secret) };
}

const digest = (secret: string): Buffer => hash('sha256', secret, 'buffer');

/** The text of the key in an `Authorization` header: Bearer, or Basic with the key as the name. */
export function keyInHeader(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  if (/^bearer /i.test(authorization)) return authorization.slice(7).trim();
  if (!/^basic /i.test(authorization)) return undefined;
  const [name, ...rest] = Buffer.from(authorization.slice(6), 'base64')
    .toString('latin1')
    .split(':');
  return name === '' ? rest.join(':') : name;
}

/** No tenant is called that. */
const EVERY_TENANT = '*';

function originsOf(keys: Iterable<WriteKey>): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>([[EVERY_TENANT, new Set()]]);
  for (const { revoked, tenant, origins } of keys) {
    if (revoked || origins === null) continue;
    const own = found.get(tenant) ?? new Set();
    found.set(tenant, own);
    for (const origin of origins) {
      own.add(origin);
      found.get(EVERY_TENANT)?.add(origin);
    }
  }
  return found;
}

const UNKNOWN_MAX = 10_000;
const UNKNOWN_MS = 5_000;

/** The keys in memory. A key that is not there is asked for once every few seconds at most. */
export class WriteKeys {
  readonly #read: (id: string) => Promise<WriteKey | undefined>;
  readonly #keys = new Map<string, WriteKey>();
  readonly #unknown = new Map<string, number>();
  /** By tenant; made anew after a change, since a stranger may ask as often as they like. */
  #origins: Map<string, Set<string>> | undefined;

  constructor(read: (id: string) => Promise<WriteKey | undefined>) {
    this.#read = read;
  }

  put(key: WriteKey): void {
    this.#keys.set(key.id, key);
    this.#unknown.delete(key.id);
    this.#origins = undefined;
  }

  /** Forgets a key and reads it again; where that fails, its next use does. */
  async refresh(id: string): Promise<void> {
    this.#keys.delete(id);
    this.#origins = undefined;
    const found = await this.#read(id).catch(() => undefined);
    if (found) this.put(found);
  }

  /** Origins that any key of the tenant (or of any tenant) lets a browser send from. */
  allowsOrigin(origin: string, tenant: string | undefined): boolean {
    this.#origins ??= originsOf(this.#keys.values());
    const allowed = this.#origins.get(tenant ?? EVERY_TENANT);
    return allowed !== undefined && (allowed.has(origin) || allowed.has('*'));
  }

  /**
   * The key that `text` opens, without waiting where it is known already.
   *
   * @throws Problem ingest-key-missing, ingest-key-unknown
   */
  check(text: string | undefined): WriteKey | Promise<WriteKey> {
    if (text === undefined || text === '') {
      throw ingestProblem(
        'ingest-key-missing',
        'send the write key as a Bearer or Basic credential',
      );
    }
    const [, id = '', secret = ''] = SHAPE.exec(text) ?? [];
    const known = this.#keys.get(id);
    if (known) return matching(known, secret);
    if (id === '' || this.#isUnknown(id)) throw unknownKey();
    return this.#read(id).then((found) => {
      if (found === undefined) {
        if (this.#unknown.size >= UNKNOWN_MAX) this.#unknown.clear();
        this.#unknown.set(id, performance.now());
        throw unknownKey();
      }
      this.put(found);
      return matching(found, secret);
    });
  }

  #isUnknown(id: string): boolean {
    const at = this.#unknown.get(id);
    if (at === undefined) return false;
    if (performance.now() - at < UNKNOWN_MS) return true;
    this.#unknown.delete(id);
    return false;
  }
}

const unknownKey = () =>
  ingestProblem('ingest-key-unknown', 'the write key is wrong or was revoked');

function matching(key: WriteKey, secret: string): WriteKey {
  // A revoked and a wrong key get one answer, in one time.
  if (!timingSafeEqual(digest(secret), key.hash) || key.revoked) throw unknownKey();
  return key;
}
