/**
 * Whether a person's key can be made again once it is destroyed: from what stays in the keyring and
 * what a row or a client calls them. A key that is drawn by lot cannot.
 */
import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { Look, StoredRow } from '#core/looking';
import { readKeyring, rootFiles } from './keyring-file.ts';
import { type Kek, openKek, unwrapped } from './unwrapped.ts';

const NAMED_KEYS = 24;
const DIGESTS = ['sha256', 'sha512', 'sha3-256', 'sha3-512', 'blake2b512'];
const JOINTS = ['|', ':', '/', ' ', ''];
const HOUR_MS = 3_600_000;

type Named = { readonly bound: string; readonly epoch: number; readonly wrapped: Uint8Array };
type Own = { readonly handle: Uint8Array; readonly keyId: Uint8Array };

/** What is in the keyring's file of a service, and of one person beside the key itself. */
const heldFor = ({ folders, tenant }: Look, subject: Buffer) =>
  readKeyring(folders.keyring, ({ all, get }) => ({
    own: isThere(
      get<Own>(
        'select handle, key_id as "keyId" from subject_keys where tenant = ? and subject = ?',
        ...[tenant, subject],
      ),
    ),
    keks: all<Kek>(
      "select tenant, epoch, wrapped from keks where purpose = 'live' and tenant = ?",
      tenant,
    ),
    named: all<Named>(
      `select 'troth/v1/named|' || tenant || '|' || name || '|' || version as bound, epoch, wrapped
       from named_keys where tenant = ? limit ${NAMED_KEYS}`,
      tenant,
    ),
  }));

/** A file that is being written may lack what is in it: thrown here, it is read again. */
function isThere<T>(row: T | undefined): T {
  if (row === undefined) throw new Error('a canary was not found in the keyring');
  return row;
}

/** Secrets that outlive a person: nothing at all, the roots, and the service's keys. */
function secretsOf(look: Look, { keks, named }: Awaited<ReturnType<typeof heldFor>>): Buffer[] {
  const files = rootFiles(look.folders.keyring).filter(({ wrap }) => wrap === 'file');
  const roots = new Map(files.map(({ epoch, key }) => [epoch, Buffer.from(key, 'base64')]));
  const opened = new Map(
    keks.flatMap((kek) => {
      const root = roots.get(kek.epoch);
      const key = root && openKek(root, kek);
      return key ? [[kek.epoch, key] as const] : [];
    }),
  );
  const others = named.flatMap(({ bound, epoch, wrapped }) => {
    const kek = opened.get(epoch);
    return (kek && unwrapped(kek, wrapped, bound)) ?? [];
  });
  const texts = [...roots.values()].map((key) => Buffer.from(key.toString('base64')));
  return [Buffer.alloc(0), ...roots.values(), ...texts, ...opened.values(), ...others];
}

/** What somebody is called, by a client, in a row and in the keyring, with the service or without. */
function namesOf(look: Look, called: readonly string[], subject: string, own: Own): Buffer[] {
  const uuid = subject.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const bytes = [own.handle, own.keyId].map((one) => Buffer.from(one));
  const texts = [
    ...[...called, subject, uuid],
    ...bytes.flatMap((one) => [one.toString('hex'), one.toString('base64')]),
  ];
  const joined = JOINTS.flatMap((joint) => texts.map((text) => look.tenant + joint + text));
  const bound = `troth/v1/dek|${look.tenant}|${subject}|1`;
  return [
    ...[...texts, ...joined, bound].map((text) => Buffer.from(text)),
    ...[Buffer.from(subject, 'hex'), ...bytes],
  ];
}

/** The usual ways to make a key of a secret and a name. */
function* derived(secret: Buffer, name: Buffer): Generator<Uint8Array> {
  for (const digest of DIGESTS) {
    yield createHash(digest).update(secret).update(name).digest();
    yield createHash(digest).update(name).update(secret).digest();
    if (secret.length === 0) continue;
    yield createHmac(digest, secret).update(name).digest();
    yield createHmac(digest, name).update(secret).digest();
    yield new Uint8Array(hkdfSync(digest, secret, '', name, 32));
    yield new Uint8Array(hkdfSync(digest, secret, name, '', 32));
  }
}

/**
 * How many ways to make a person's key of what stays were tried, and whether one of them did.
 *
 * @param called  what a client calls them.
 */
export async function derivations(
  look: Look,
  { row, key, called }: { row: StoredRow; key: Buffer; called: readonly string[] },
): Promise<{ readonly tried: number; readonly found: boolean }> {
  const held = await heldFor(look, Buffer.from(row.subject, 'hex'));
  const secrets = secretsOf(look, held);
  let tried = 0;
  for (const name of namesOf(look, called, row.subject, held.own)) {
    for (const secret of secrets) {
      for (const made of derived(secret, name)) {
        tried += 1;
        if (key.equals(made.subarray(0, key.length))) return { tried, found: true };
      }
    }
  }
  return { tried, found: false };
}

/**
 * Has the keyring make a key for nobody, destroy it, and make one for the same name once more.
 *
 * @returns whether any part of who they were to the keyring came again; `undefined`: it made none.
 */
export async function comesAgain({ keeper, tenant, now }: Look): Promise<boolean | undefined> {
  const handle = randomBytes(32).toString('base64');
  const at = (await now()).getTime();
  // The name may come back at once, and what is left of it goes with the next round of the keeper.
  const lateUntil = at - HOUR_MS;
  const made: string[] = [];
  for (let life = 0; life < 2; life++) {
    const ask = { tenant, handles: [handle], create: true, at };
    const [person] = await keeper.call('subjects', ask);
    if (typeof person !== 'object') return undefined;
    await keeper.call('destroy', { tenant, subject: person.subject, at, lateUntil });
    made.push(person.key, person.keyId, person.subject);
  }
  return new Set(made).size < made.length;
}
