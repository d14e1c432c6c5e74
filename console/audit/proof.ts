/**
 * The check of an audit entry, in this browser: that its text hashes to its leaf, that the leaf is
 * in the tree whose root the checkpoint names, and that the installation's key signed the
 * checkpoint.
 *
 * Nothing that the server says about itself is believed here but the public key, which whoever
 * doubts compares with one that was handed out elsewhere.
 *
 * @see RFC 6962 section 2.1, RFC 9162 section 2.1.3.2, https://c2sp.org/tlog-checkpoint
 */
export type Checkpoint = { origin: string; size: number; root: Uint8Array<ArrayBuffer> };
type Bytes = Uint8Array<ArrayBuffer>;

const utf8 = new TextEncoder();

export function bytesOf(base64: string): Bytes {
  const text = atob(base64);
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

async function sha256(...parts: readonly Uint8Array[]): Promise<Bytes> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', whole));
}

const leafOf = (text: string) => sha256(Uint8Array.of(0), utf8.encode(text));
const nodeOf = (left: Uint8Array, right: Uint8Array) => sha256(Uint8Array.of(1), left, right);

const same = (a: Uint8Array, b: Uint8Array) =>
  a.length === b.length && a.every((byte, at) => byte === b[at]);

/** The root that an audit path leads to; undefined when it fits no tree of this size. */
export async function rootFrom(
  leaf: Bytes,
  { index, size, proof }: { index: number; size: number; proof: readonly Bytes[] },
): Promise<Bytes | undefined> {
  if (index < 0 || index >= size) return undefined;
  let [here, last] = [index, size - 1];
  let root = leaf;
  for (const sibling of proof) {
    if (last === 0) return undefined;
    const isRight = here % 2 === 1;
    if (isRight || here === last) {
      root = await nodeOf(sibling, root);
      while (!isRight && here !== 0 && here % 2 === 0) {
        here = Math.floor(here / 2);
        last = Math.floor(last / 2);
      }
    } else root = await nodeOf(root, sibling);
    here = Math.floor(here / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? root : undefined;
}

/** Reads the checkpoint of a note; the signatures are looked at by `isSigned`. */
export function checkpointOf(note: string): Checkpoint | undefined {
  const [origin = '', size = '', root = ''] = note.split('\n');
  if (!/^\d{1,15}$/.test(size) || !/^[A-Za-z0-9+/]{43}=$/.test(root)) return undefined;
  return { origin, size: Number(size), root: bytesOf(root) };
}

const SIGNATURE_AT = 4;

/** Whether this key signed the note, under the name of its origin. @param x  base64url, 32 bytes. */
export async function isSigned(note: string, x: string): Promise<boolean> {
  const cut = note.lastIndexOf('\n\n');
  const origin = note.slice(0, note.indexOf('\n'));
  const jwk = { kty: 'OKP', crv: 'Ed25519', x };
  const key = await crypto.subtle.importKey('jwk', jwk, 'Ed25519', false, ['verify']);
  for (const line of note.slice(cut + 2).split('\n')) {
    const [, name, signature = ''] = /^— (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== origin) continue;
    const signed = bytesOf(signature).slice(SIGNATURE_AT);
    const text = utf8.encode(note.slice(0, cut + 1));
    if (await crypto.subtle.verify('Ed25519', key, signed, text)) return true;
  }
  return false;
}

export type Entry = { index: number; leafHash: string; proof: string[]; leaf: string | null };
export type Checked = { ok: boolean; says: string };

/** Checks one entry against a checkpoint. The checkpoint's signature is checked apart, once. */
export async function checkEntry(entry: Entry, checkpoint: Checkpoint): Promise<Checked> {
  const { index, leafHash, proof, leaf } = entry;
  const claimed = bytesOf(leafHash);
  if (leaf !== null && !same(await leafOf(leaf), claimed))
    return { ok: false, says: 'its text is not what was hashed' };
  const { size, root } = checkpoint;
  const reached = await rootFrom(claimed, { index, size, proof: proof.map(bytesOf) });
  if (!reached || !same(reached, root))
    return { ok: false, says: 'it is not in the tree that was signed' };
  return { ok: true, says: leaf === null ? 'in the tree; its text was cut off' : 'in the tree' };
}
