/**
 * Root keys: one file an epoch, beside the keyring and beside its second copy, never inside it.
 *
 * The database holds nothing that opens it. Destroying an epoch's file therefore makes every older
 * copy of the database (backup, snapshot, freed block) unreadable, with the passphrase or without.
 * With a passphrase the file holds the root wrapped under scrypt of it; without one, the root
 * itself (development). A recovery file holds the root sealed to the kit's public key.
 */
import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
  scryptSync,
} from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { xaesKey } from '#base/xaes';
import { keeperProblem } from './errors.ts';
import { destroyFile, namesIn, readJson, writeSecret } from './files.ts';

// 64 MiB and about a quarter of a second: OWASP's second choice for scrypt, twice its p.
const SCRYPT = { N: 2 ** 16, r: 8, p: 2, maxmem: 160 * 1024 * 1024 } as const;
const ROOT_FILE = /^root-(\d+)\.json$/;
const RECOVERY_FILE = /^recovery-(\d+)\.json$/;

type RootFile = { epoch: number; wrap: 'file' | 'passphrase'; salt: string; key: string };
type RecoveryFile = { epoch: number; ephemeral: string; sealed: string };

const rootAad = (epoch: number) => Buffer.from(`troth/v1/root|${epoch}`);
const passphraseKey = (passphrase: string, salt: Buffer) =>
  xaesKey(scryptSync(passphrase.normalize('NFC'), salt, 32, SCRYPT));

export function writeRoot(
  dirs: readonly string[],
  { epoch, root, passphrase }: { epoch: number; root: Buffer; passphrase: string | undefined },
): void {
  const salt = randomBytes(16);
  const key = passphrase ? passphraseKey(passphrase, salt).seal(root, rootAad(epoch)) : root;
  const file: RootFile = {
    epoch,
    wrap: passphrase ? 'passphrase' : 'file',
    salt: salt.toString('base64'),
    key: key.toString('base64'),
  };
  for (const dir of dirs) writeSecret(dir, `root-${epoch}.json`, JSON.stringify(file));
}

/** @throws Problem keyring-refused without the file, or without its passphrase. */
export function readRoot(dir: string, epoch: number, passphrase: string | undefined): Buffer {
  const file = readJson<RootFile>(dir, `root-${epoch}.json`);
  if (!file) throw keeperProblem('keyring-refused', 'the root key of this epoch is gone: restore');
  const key = Buffer.from(file.key, 'base64');
  if (file.wrap === 'file') return key;
  if (!passphrase) throw keeperProblem('keyring-refused', 'the keyring needs its passphrase file');
  try {
    return passphraseKey(passphrase, Buffer.from(file.salt, 'base64')).open(key, rootAad(epoch));
  } catch {
    throw keeperProblem('keyring-refused', 'the passphrase does not open the keyring');
  }
}

export const wrapOf = (dir: string, epoch: number) =>
  readJson<RootFile>(dir, `root-${epoch}.json`)?.wrap;

/** Brings the second directory's files to the first one's. */
export function mirrorRoots([dir = '', ...others]: readonly string[]): void {
  for (const name of [...namesIn(dir, ROOT_FILE), ...namesIn(dir, RECOVERY_FILE)]) {
    const content = readFileSync(join(dir, name));
    for (const other of others) {
      const file = join(other, name);
      const same = existsSync(file) && readFileSync(file).equals(content);
      if (!same) writeSecret(other, name, content);
    }
  }
}

/** Destroys the files of every other epoch, and what a crash left half written. */
export function destroyRootsExcept(dirs: readonly string[], epochs: readonly number[]): void {
  for (const dir of dirs) {
    for (const name of namesIn(dir, /^\.(root|recovery)-\d+\.json\.draft$/)) destroyFile(dir, name);
    for (const pattern of [ROOT_FILE, RECOVERY_FILE]) {
      for (const name of namesIn(dir, pattern)) {
        if (!epochs.includes(Number(pattern.exec(name)?.[1]))) destroyFile(dir, name);
      }
    }
  }
}

export const recoveryEpochs = (dir: string): number[] =>
  namesIn(dir, RECOVERY_FILE).map((name) => Number(RECOVERY_FILE.exec(name)?.[1]));

export type RecoveryPair = { publicKey: Buffer; secret: Buffer };

const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex');
const privateOf = (secret: Buffer) =>
  createPrivateKey({ key: Buffer.concat([PKCS8_X25519, secret]), format: 'der', type: 'pkcs8' });
const publicOf = (raw: Buffer) =>
  createPublicKey({ key: Buffer.concat([SPKI_X25519, raw]), format: 'der', type: 'spki' });
const rawOf = (key: KeyObject) => key.export({ format: 'der', type: 'spki' }).subarray(-32);

export function makeRecoveryPair(): RecoveryPair {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  const secret = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  return { publicKey: rawOf(publicKey), secret };
}

/** ECIES as in RFC 9180's base mode in spirit: the derived key binds both public keys. */
function recoveryKey(own: KeyObject, other: KeyObject, publics: Buffer) {
  const shared = diffieHellman({ privateKey: own, publicKey: other });
  return xaesKey(Buffer.from(hkdfSync('sha256', shared, publics, 'troth/v1/recovery', 32)));
}

export function writeRecovery(
  dirs: readonly string[],
  { epoch, root, publicKey }: { epoch: number; root: Buffer; publicKey: Buffer },
): void {
  const ephemeral = generateKeyPairSync('x25519');
  const raw = rawOf(ephemeral.publicKey);
  const publics = Buffer.concat([raw, publicKey]);
  const key = recoveryKey(ephemeral.privateKey, publicOf(publicKey), publics);
  const file: RecoveryFile = {
    epoch,
    ephemeral: raw.toString('base64'),
    sealed: key.seal(root, rootAad(epoch)).toString('base64'),
  };
  for (const dir of dirs) writeSecret(dir, `recovery-${epoch}.json`, JSON.stringify(file));
}

/** @throws Problem recovery-kit-invalid when the kit belongs to another keyring. */
export function openRecovery(dir: string, epoch: number, secret: Buffer): Buffer {
  const file = readJson<RecoveryFile>(dir, `recovery-${epoch}.json`);
  if (!file) throw keeperProblem('recovery-kit-invalid', 'this copy holds no recovery file');
  const raw = Buffer.from(file.ephemeral, 'base64');
  const own = privateOf(secret);
  const publics = Buffer.concat([raw, rawOf(createPublicKey(own))]);
  try {
    const key = recoveryKey(own, publicOf(raw), publics);
    return key.open(Buffer.from(file.sealed, 'base64'), rootAad(epoch));
  } catch {
    throw keeperProblem(
      'recovery-kit-invalid',
      'this kit is of another keyring, or a newer one replaced it',
    );
  }
}
