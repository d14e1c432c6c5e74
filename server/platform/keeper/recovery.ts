/**
 * The recovery kit: a secret to print, whole or as shares, and what makes a keyring again from it
 * and a copy.
 *
 * The kit outlives rotations: each new root is sealed to its public key in a recovery file beside
 * the keyring, and that file is destroyed with its epoch, so an old copy of the database alone
 * stays closed to the kit too.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '#base/problem';
import { joinShares, type Share, splitSecret } from '#base/secret-shares';
import { keeperProblem } from './errors.ts';
import { destroyFile, namesIn, privateDirectory, syncDirectory, writeSecret } from './files.ts';
import { Keks, metaNumber } from './keks.ts';
import { type Keyring, openKeyring } from './keyring.ts';
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

export type Restored = {
  readonly instance: string;
  readonly epochs: readonly number[];
  readonly keysOpened: number;
  /** When the newest key of the copy was made; a key made after the copy was is not in it. */
  readonly newestKeyAt: Date | undefined;
};

type Restoring = {
  /** A copy of the keyring: its second one, a backup, or one that was moved aside. */
  readonly from: string;
  readonly to: string;
  /** The kit's line, or enough of its shares. */
  readonly kit: readonly string[];
  /** What the roots are wrapped under from now on; need not be the one of before. */
  readonly passphrase?: string | undefined;
  /** The instance whose data it is for; undefined where no data is at hand to say. */
  readonly instance?: string | undefined;
};

/**
 * Makes a keyring in the directory `to`, which holds none, from a copy and the kit. Every key is
 * opened before anything stands there: a restore that fails leaves `to` as it was.
 *
 * @throws Problem recovery-kit-invalid, keyring-refused.
 */
export function restoreKeyring(given: Restoring): Restored {
  const { from, to, passphrase } = given;
  const instance = instanceToRestore(given);
  const secret = readKit(given.kit);
  const roots = recoveryEpochs(from).map((epoch) => ({
    epoch,
    root: openRecovery(from, epoch, secret),
  }));
  if (roots.length === 0) {
    throw keeperProblem('recovery-kit-invalid', 'this copy holds no recovery file');
  }
  privateDirectory(to);
  const draft = join(to, DRAFT);
  discard(draft);
  try {
    privateDirectory(draft);
    takeCopy(from, draft);
    for (const { epoch, root } of roots) writeRoot([draft], { epoch, root, passphrase });
    const opened = openEveryKey(draft, { passphrase, roots });
    settle(draft, to);
    return { instance, epochs: roots.map(({ epoch }) => epoch), ...opened };
  } finally {
    discard(draft);
  }
}

/** Inside of the directory, so that what is made there is moved without being copied. */
const DRAFT = '.restoring';

function instanceToRestore({ from, to, instance }: Restoring): string {
  if (existsSync(join(to, KEYRING_FILE))) {
    throw keeperProblem(
      'keyring-refused',
      'a keyring is there already: move it away, and name where it is now as the copy',
    );
  }
  const held = readInstance(from);
  if (!held || !existsSync(join(from, KEYRING_FILE))) {
    throw keeperProblem('keyring-refused', 'the copy holds no keyring');
  }
  if (instance !== undefined && instance !== held.id) {
    throw keeperProblem('keyring-refused', 'the copy holds the keys of other data');
  }
  return held.id;
}

function takeCopy(from: string, to: string): void {
  try {
    const copy = openFile(from);
    try {
      copyKeyringFile(copy, to);
    } finally {
      copy.close();
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw keeperProblem(
      'keyring-refused',
      'the copy cannot be read: it is damaged, or lies where nothing can be written',
    );
  }
  writeSecret(to, INSTANCE_FILE, readFileSync(join(from, INSTANCE_FILE)));
}

/** The keyring's file comes last: until then no start takes the directory, and a restore may. */
function settle(draft: string, to: string): void {
  // What a lost file left to be undone would be undone in the one that takes its place.
  destroyFile(to, `${KEYRING_FILE}-journal`);
  const names = namesIn(draft, /^(?:instance|(?:root|recovery)-\d+)\.json$/);
  for (const name of names) renameSync(join(draft, name), join(to, name));
  syncDirectory(to);
  renameSync(join(draft, KEYRING_FILE), join(to, KEYRING_FILE));
  syncDirectory(to);
}

function discard(draft: string): void {
  for (const name of namesIn(draft, /./)) destroyFile(draft, name);
  rmSync(draft, { recursive: true, force: true });
}

type Roots = { epoch: number; root: Buffer }[];
type KeyRow = { tenant: string; epoch: number; wrapped: Uint8Array };

function openEveryKey(
  dir: string,
  given: { passphrase: string | undefined; roots: Roots },
): Pick<Restored, 'keysOpened' | 'newestKeyAt'> {
  const keyring = openKeyring({ dir, create: false });
  try {
    renewRecovery(keyring, dir, given.roots);
    const keysOpened = countOpened(keyring, given.passphrase);
    const newest = keyring.get<{ at: number | null }>(
      `select max(created_at) as at from (
        select created_at from subject_keys union all select created_at from named_keys)`,
    );
    return { keysOpened, newestKeyAt: newest?.at ? new Date(Number(newest.at)) : undefined };
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw keeperProblem('keyring-refused', 'a key of the copy does not open: it is damaged');
  } finally {
    keyring.close();
  }
}

/** The kit opens what is restored as it opened the copy. */
function renewRecovery(keyring: Keyring, dir: string, roots: Roots): void {
  const row = keyring.get<{ value: Uint8Array }>(
    "select value from meta where name = 'recovery_public'",
  );
  if (!row) return;
  const publicKey = Buffer.from(row.value);
  for (const { epoch, root } of roots) writeRecovery([dir], { epoch, root, publicKey });
}

function countOpened(keyring: Keyring, passphrase: string | undefined): number {
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
}
