/**
 * The recovery kit: a secret to print, whole or as shares, and what makes a keyring again from it
 * and a copy.
 *
 * The kit outlives rotations: each new root is sealed to its public key in a recovery file beside
 * the keyring, and that file is destroyed with its epoch, so an old copy of the database alone
 * stays closed to the kit too.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { joinShares, type Share, splitSecret } from '#base/secret-shares';
import { keeperProblem } from './errors.ts';
import { privateDirectory, writeSecret } from './files.ts';
import { Keks, metaNumber } from './keks.ts';
import { openKeyring } from './keyring.ts';
import {
  copyKeyringFile,
  INSTANCE_FILE,
  KEYRING_FILE,
  openFile,
  readInstance,
} from './keyring-file.ts';
import { namedAad } from './named-keys.ts';
import { openRecovery, recoveryEpochs, writeRecovery, writeRoot } from './roots.ts';
import { subjectAad } from './subject-keys.ts';

/** Crockford's base 32: no I, L, O or U, so that a line can be read aloud and typed. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CHECK_BYTES = 4;

const checkOf = (bytes: Buffer) =>
  createHash('sha256').update('troth/v1/kit|').update(bytes).digest().subarray(0, CHECK_BYTES);

function toWords(bytes: Buffer): string {
  let bits = '';
  for (const byte of Buffer.concat([bytes, checkOf(bytes)]))
    bits += byte.toString(2).padStart(8, '0');
  const letters = bits
    .match(/.{1,5}/g)
    ?.map((five) => ALPHABET[Number.parseInt(five.padEnd(5, '0'), 2)]);
  return (
    letters
      ?.join('')
      .match(/.{1,5}/g)
      ?.join('-') ?? ''
  );
}

function fromWords(words: string): Buffer {
  const plain = words.toUpperCase().replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  let bits = '';
  for (const letter of plain.replaceAll(/[^0-9A-Z]/g, '')) {
    const five = ALPHABET.indexOf(letter);
    if (five < 0) throw keeperProblem('recovery-kit-invalid', 'a letter does not belong there');
    bits += five.toString(2).padStart(5, '0');
  }
  const bytes = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const body = bytes.subarray(0, -CHECK_BYTES);
  if (body.length < 2 || !checkOf(body).equals(bytes.subarray(-CHECK_BYTES))) {
    throw keeperProblem('recovery-kit-invalid', 'a line was mistyped: its check does not match');
  }
  return body;
}

/**
 * Writes the kit's lines: one, or `shares` of which any `threshold` are enough.
 *
 * Line: version, point (0 for the whole secret), the bytes, a check; in base 32.
 */
export function printKit(secret: Buffer, parts?: { shares: number; threshold: number }): string[] {
  const whole = Buffer.concat([secret, checkOf(secret)]);
  const pieces: Share[] = parts
    ? splitSecret(whole, parts.shares, parts.threshold)
    : [{ at: 0, bytes: whole }];
  return pieces.map(({ at, bytes }) => toWords(Buffer.concat([Buffer.from([1, at]), bytes])));
}

/** @throws Problem recovery-kit-invalid for a mistyped line, or too few shares. */
export function readKit(lines: readonly string[]): Buffer {
  const shares = lines.map((line) => {
    const bytes = fromWords(line);
    return { at: bytes[1] ?? 0, bytes: bytes.subarray(2) };
  });
  const points = new Set(shares.map(({ at }) => at));
  if (points.size !== shares.length || shares.length === 0) {
    throw keeperProblem('recovery-kit-invalid', 'the same share was given twice, or none');
  }
  const whole = shares[0]?.at === 0 ? shares[0].bytes : joinShares(shares);
  const secret = Buffer.from(whole.subarray(0, -CHECK_BYTES));
  if (!checkOf(secret).equals(whole.subarray(-CHECK_BYTES))) {
    throw keeperProblem('recovery-kit-invalid', 'too few shares, or shares of two kits');
  }
  return secret;
}

export type Restored = { instance: string; epochs: number[]; keysOpened: number };

/**
 * Makes a keyring in the empty directory `to` from a copy and the kit, and opens every key in it.
 *
 * @throws Problem recovery-kit-invalid, keyring-refused. A failed restore leaves `to` without a
 *         root file, so nothing starts on it.
 */
export function restoreKeyring(given: {
  from: string;
  to: string;
  kit: readonly string[];
  passphrase?: string;
}): Restored {
  const { from, to, passphrase } = given;
  const instance = readInstance(from);
  if (!instance || !existsSync(join(from, KEYRING_FILE))) {
    throw keeperProblem('keyring-refused', 'the copy holds no keyring');
  }
  if (existsSync(join(to, KEYRING_FILE))) {
    throw keeperProblem('keyring-refused', 'a keyring is there already; restore beside it');
  }
  const secret = readKit(given.kit);
  const roots = recoveryEpochs(from).map((epoch) => ({
    epoch,
    root: openRecovery(from, epoch, secret),
  }));
  if (roots.length === 0) {
    throw keeperProblem('recovery-kit-invalid', 'this copy holds no recovery file');
  }
  privateDirectory(to);
  const copy = openFile(from);
  copyKeyringFile(copy, to);
  copy.close();
  writeSecret(to, INSTANCE_FILE, readFileSync(join(from, INSTANCE_FILE)));
  for (const { epoch, root } of roots) writeRoot([to], { epoch, root, passphrase });
  const keysOpened = openEveryKey(to, { passphrase, roots });
  return { instance: instance.id, epochs: roots.map(({ epoch }) => epoch), keysOpened };
}

type Roots = { epoch: number; root: Buffer }[];
type KeyRow = { tenant: string; epoch: number; wrapped: Uint8Array };

function openEveryKey(
  dir: string,
  { passphrase, roots }: { passphrase: string | undefined; roots: Roots },
): number {
  const keyring = openKeyring({ dir, create: false });
  try {
    const row = keyring.get<{ value: Uint8Array }>(
      "select value from meta where name = 'recovery_public'",
    );
    if (row) {
      const publicKey = Buffer.from(row.value);
      for (const { epoch, root } of roots) writeRecovery([dir], { epoch, root, publicKey });
    }
    const keks = new Keks(keyring, passphrase, metaNumber(keyring, 'epoch_at') ?? 0);
    const subjects = keyring.all<KeyRow & { subject: Uint8Array; n: number; destroyAt: unknown }>(
      'select tenant, epoch, wrapped, subject, n, destroy_at as "destroyAt" from subject_keys',
    );
    for (const { tenant, epoch, wrapped, subject, n, destroyAt } of subjects) {
      const aad = subjectAad(tenant, Buffer.from(subject).toString('hex'), n);
      const purpose = destroyAt === null ? 'live' : 'quarantine';
      keks.unwrap({ tenant, purpose, epoch, aad }, wrapped).fill(0);
    }
    const named = keyring.all<KeyRow & { name: string; version: number }>(
      'select tenant, epoch, wrapped, name, version from named_keys',
    );
    for (const { tenant, epoch, wrapped, name, version } of named) {
      const aad = namedAad(tenant, name, version);
      keks.unwrap({ tenant, purpose: 'live', epoch, aad }, wrapped).fill(0);
    }
    return subjects.length + named.length;
  } finally {
    keyring.close();
  }
}
