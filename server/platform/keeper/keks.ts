/**
 * Key-encryption keys: one a tenant and epoch for living keys, one for keys in quarantine. Each is
 * random, wrapped under the root of its epoch, and opened once.
 */
import { randomBytes } from 'node:crypto';
import { type XaesKey, xaesKey } from '#base/xaes';
import { keeperProblem } from './errors.ts';
import type { Keyring } from './keyring.ts';
import {
  destroyRootsExcept,
  mirrorRoots,
  readRoot,
  recoveryEpochs,
  writeRecovery,
  writeRoot,
} from './roots.ts';

export type KekPurpose = 'live' | 'quarantine';

const kekAad = (tenant: string, purpose: KekPurpose, version: number, epoch: number) =>
  Buffer.from(`troth/v1/kek|${tenant}|${purpose === 'live' ? version : `q${version}`}|${epoch}`);

export function metaNumber(keyring: Keyring, name: string): number | undefined {
  const row = keyring.get<{ value: number }>('select value from meta where name = ?', name);
  return row ? Number(row.value) : undefined;
}

export function setMeta(keyring: Keyring, name: string, value: number | Buffer | null): void {
  if (value === null) keyring.run('delete from meta where name = ?', name);
  else keyring.run('insert or replace into meta (name, value) values (?, ?)', name, value);
}

type Root = { raw: Buffer; key: XaesKey };
type Place = { tenant: string; purpose: KekPurpose; aad: string };

/** The key-encryption keys of one keyring, with the roots that are alive. */
export class Keks {
  readonly #keyring: Keyring;
  readonly #passphrase: string | undefined;
  readonly #roots = new Map<number, Root>();
  readonly #opened = new Map<string, XaesKey>();
  #epoch: number;
  #rotatingFrom: number | undefined;

  /** Opens the roots, makes the first when there is none, and removes what a crash left. */
  constructor(keyring: Keyring, passphrase: string | undefined, at: number) {
    this.#keyring = keyring;
    this.#passphrase = passphrase;
    this.#epoch = metaNumber(keyring, 'epoch') ?? 0;
    this.#rotatingFrom = metaNumber(keyring, 'rotating_from');
    if (this.#epoch === 0) this.#makeFirst(at);
    const [dir = ''] = keyring.dirs;
    for (const epoch of this.#living()) {
      if (!this.#roots.has(epoch)) this.#addRoot(epoch, readRoot(dir, epoch, passphrase));
    }
    // A crash may leave the file of an epoch that never began, or of one that has ended; and a copy
    // that was out of reach may lack the newest.
    this.#alignRoots();
    keyring.onCopied(() => this.#alignRoots());
    // A key that was made in a group that failed is not in the file: never seal under it again.
    keyring.onRollback(() => this.#opened.clear());
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** The epoch whose keys are still being re-wrapped, while a rotation runs. */
  get rotatingFrom(): number | undefined {
    return this.#rotatingFrom;
  }

  wrap({ tenant, purpose, aad }: Place, key: Buffer): Buffer {
    return this.#kek(tenant, purpose, this.#epoch).seal(key, Buffer.from(aad));
  }

  unwrap({ tenant, purpose, epoch, aad }: Place & { epoch: number }, wrapped: Uint8Array): Buffer {
    return this.#kek(tenant, purpose, epoch).open(wrapped, Buffer.from(aad));
  }

  /** Begins a new epoch. Its root file is durable before. */
  beginEpoch(at: number): number {
    if (this.#rotatingFrom !== undefined) return this.#epoch;
    const before = this.#epoch;
    this.#makeRoot(before + 1);
    this.#keyring.commit(() => {
      setMeta(this.#keyring, 'rotating_from', before);
      setMeta(this.#keyring, 'epoch', before + 1);
      setMeta(this.#keyring, 'epoch_at', at);
    });
    this.#rotatingFrom = before;
    this.#epoch = before + 1;
    return this.#epoch;
  }

  /** Forgets every older key; the files of older roots are overwritten and removed. */
  endRotation(): void {
    const epoch = this.#epoch;
    this.#keyring.commit(() => {
      this.#keyring.run('delete from keks where epoch < ?', epoch);
      setMeta(this.#keyring, 'rotating_from', null);
    });
    this.#rotatingFrom = undefined;
    for (const name of this.#opened.keys()) {
      if (!name.endsWith(`|${epoch}`)) this.#opened.delete(name);
    }
    for (const [number, { raw }] of this.#roots) {
      if (number === epoch) continue;
      raw.fill(0);
      this.#roots.delete(number);
    }
    destroyRootsExcept(this.#keyring.dirs, [epoch]);
  }

  /** The keys above a tenant's keys, of every epoch: what they wrapped opens no more. */
  destroyTenant(tenant: string): void {
    this.#keyring.run('delete from keks where tenant = ?', tenant);
    for (const name of this.#opened.keys()) {
      if (name.startsWith(`${tenant}|`)) this.#opened.delete(name);
    }
  }

  makeRecoveryFiles(publicKey: Buffer): void {
    for (const [epoch, { raw }] of this.#roots) {
      writeRecovery(this.#keyring.dirs, { epoch, root: raw, publicKey });
    }
  }

  #alignRoots(): void {
    destroyRootsExcept(this.#keyring.dirs, this.#living());
    mirrorRoots(this.#keyring.dirs);
  }

  #living(): number[] {
    return this.#rotatingFrom === undefined ? [this.#epoch] : [this.#rotatingFrom, this.#epoch];
  }

  #addRoot(epoch: number, raw: Buffer): void {
    this.#roots.set(epoch, { raw, key: xaesKey(raw) });
  }

  #makeFirst(at: number): void {
    this.#makeRoot(1);
    this.#keyring.commit(() => {
      setMeta(this.#keyring, 'epoch', 1);
      setMeta(this.#keyring, 'epoch_at', at);
    });
    this.#epoch = 1;
  }

  #makeRoot(epoch: number): void {
    const { dirs } = this.#keyring;
    const root = randomBytes(32);
    writeRoot(dirs, { epoch, root, passphrase: this.#passphrase });
    const row = this.#keyring.get<{ value: Uint8Array }>(
      "select value from meta where name = 'recovery_public'",
    );
    if (row) writeRecovery(dirs, { epoch, root, publicKey: Buffer.from(row.value) });
    this.#addRoot(epoch, root);
  }

  #kek(tenant: string, purpose: KekPurpose, epoch: number): XaesKey {
    const name = `${tenant}|${purpose}|${epoch}`;
    const known = this.#opened.get(name);
    if (known) return known;
    const root = this.#roots.get(epoch)?.key;
    if (!root) throw keeperProblem('keyring-refused', 'a key of a destroyed epoch was asked for');
    const raw = this.#readKek(root, { tenant, purpose, epoch });
    const key = xaesKey(raw);
    raw.fill(0);
    this.#opened.set(name, key);
    return key;
  }

  /** Opens the stored key, or makes one. */
  #readKek(
    root: XaesKey,
    { tenant, purpose, epoch }: { tenant: string; purpose: KekPurpose; epoch: number },
  ): Buffer {
    const aad = kekAad(tenant, purpose, epoch, epoch);
    const row = this.#keyring.get<{ wrapped: Uint8Array }>(
      'select wrapped from keks where tenant = ? and purpose = ? and epoch = ?',
      ...[tenant, purpose, epoch],
    );
    if (row) return root.open(row.wrapped, aad);
    const raw = randomBytes(32);
    this.#keyring.run(
      'insert into keks (tenant, purpose, epoch, wrapped) values (?, ?, ?, ?)',
      ...[tenant, purpose, epoch, root.seal(raw, aad)],
    );
    return raw;
  }
}

export const hasRecovery = (keyring: Keyring, epoch: number): boolean =>
  keyring.dirs.every((dir) => recoveryEpochs(dir).includes(epoch));
