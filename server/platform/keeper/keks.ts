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

export type Keks = {
  readonly epoch: number;
  /** The epoch whose keys are still being re-wrapped, while a rotation runs. */
  readonly rotatingFrom: number | undefined;
  wrap(given: { tenant: string; purpose: KekPurpose; aad: string }, key: Buffer): Buffer;
  unwrap(
    given: { tenant: string; purpose: KekPurpose; epoch: number; aad: string },
    wrapped: Uint8Array,
  ): Buffer;
  /** Begins a new epoch; inside `commit`. Its root file is durable before. */
  beginEpoch(at: number): number;
  /** Forgets every older key; the files of older roots are overwritten and removed. */
  endRotation(): void;
  makeRecoveryFiles(publicKey: Buffer): void;
};

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

/** Opens the roots, makes the first when there is none, and removes what a crash left. */
export function openKeks(keyring: Keyring, passphrase: string | undefined, at: number): Keks {
  const [dir = ''] = keyring.dirs;
  let epoch = metaNumber(keyring, 'epoch') ?? 0;
  let rotatingFrom = metaNumber(keyring, 'rotating_from');
  const roots = new Map<number, { raw: Buffer; key: XaesKey }>();
  const opened = new Map<string, XaesKey>();
  const addRoot = (number: number, raw: Buffer) => roots.set(number, { raw, key: xaesKey(raw) });

  function makeRoot(number: number): void {
    const root = randomBytes(32);
    writeRoot(keyring.dirs, { epoch: number, root, passphrase });
    const row = keyring.get<{ value: Uint8Array }>(
      "select value from meta where name = 'recovery_public'",
    );
    const publicKey = row && Buffer.from(row.value);
    if (publicKey) writeRecovery(keyring.dirs, { epoch: number, root, publicKey });
    addRoot(number, root);
  }

  if (epoch === 0) {
    makeRoot(1);
    keyring.commit(() => {
      setMeta(keyring, 'epoch', 1);
      setMeta(keyring, 'epoch_at', at);
    });
    epoch = 1;
  }
  const living = () => (rotatingFrom === undefined ? [epoch] : [rotatingFrom, epoch]);
  for (const number of living()) {
    if (!roots.has(number)) addRoot(number, readRoot(dir, number, passphrase));
  }
  // A crash may leave the file of an epoch that never began, or of one that has ended; and a copy
  // that was out of reach may lack the newest.
  destroyRootsExcept(keyring.dirs, living());
  mirrorRoots(keyring.dirs);
  // A key that was made in a group that failed is not in the file: never seal under it again.
  keyring.onRollback(() => opened.clear());

  function kek(tenant: string, purpose: KekPurpose, number: number): XaesKey {
    const name = `${tenant}|${purpose}|${number}`;
    const known = opened.get(name);
    if (known) return known;
    const row = keyring.get<{ wrapped: Uint8Array }>(
      'select wrapped from keks where tenant = ? and purpose = ? and epoch = ?',
      ...[tenant, purpose, number],
    );
    const root = roots.get(number)?.key;
    if (!root) throw keeperProblem('keyring-refused', 'a key of a destroyed epoch was asked for');
    const aad = kekAad(tenant, purpose, number, number);
    let raw: Buffer;
    if (row) {
      raw = root.open(row.wrapped, aad);
    } else {
      raw = randomBytes(32);
      keyring.run(
        'insert into keks (tenant, purpose, epoch, wrapped) values (?, ?, ?, ?)',
        ...[tenant, purpose, number, root.seal(raw, aad)],
      );
    }
    const key = xaesKey(raw);
    raw.fill(0);
    opened.set(name, key);
    return key;
  }

  return {
    get epoch() {
      return epoch;
    },
    get rotatingFrom() {
      return rotatingFrom;
    },
    wrap: ({ tenant, purpose, aad }, key) =>
      kek(tenant, purpose, epoch).seal(key, Buffer.from(aad)),
    unwrap: ({ tenant, purpose, epoch: number, aad }, wrapped) =>
      kek(tenant, purpose, number).open(wrapped, Buffer.from(aad)),
    beginEpoch(now) {
      if (rotatingFrom !== undefined) return epoch;
      makeRoot(epoch + 1);
      keyring.commit(() => {
        setMeta(keyring, 'rotating_from', epoch);
        setMeta(keyring, 'epoch', epoch + 1);
        setMeta(keyring, 'epoch_at', now);
      });
      rotatingFrom = epoch;
      epoch += 1;
      return epoch;
    },
    endRotation() {
      keyring.commit(() => {
        keyring.run('delete from keks where epoch < ?', epoch);
        setMeta(keyring, 'rotating_from', null);
      });
      rotatingFrom = undefined;
      for (const name of opened.keys()) if (!name.endsWith(`|${epoch}`)) opened.delete(name);
      for (const [number, { raw }] of roots) {
        if (number === epoch) continue;
        raw.fill(0);
        roots.delete(number);
      }
      destroyRootsExcept(keyring.dirs, [epoch]);
    },
    makeRecoveryFiles(publicKey) {
      for (const [number, { raw }] of roots) {
        writeRecovery(keyring.dirs, { epoch: number, root: raw, publicKey });
      }
    },
  };
}

export const hasRecovery = (keyring: Keyring, epoch: number): boolean =>
  keyring.dirs.every((dir) => recoveryEpochs(dir).includes(epoch));
