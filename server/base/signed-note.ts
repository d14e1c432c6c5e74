/**
 * Signed notes and checkpoints: a text, a blank line, and a line for each signature.
 *
 * @see https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint. Ed25519 only; signatures of
 *      keys that are not known are carried along and ignored, as the specification asks.
 */
import { createHash } from 'node:crypto';
import { PUBLIC_KEY_BYTES, type Signer, verifySignature } from './ed25519.ts';

const ED25519 = 1;
const NOTE_BYTES_MAX = 64 * 1024;
const SIGNATURES_MAX = 64;
/** No space and no plus: what a key may be called. Ours are ASCII, so that nobody looks alike. */
const KEY_NAME = /^[\x21-\x2a\x2c-\x7e]{1,200}$/;
const SIGNATURE_LINE = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/;
const CHECKPOINT = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n((?:[^\n]+\n)*)$/;

/** Control characters other than newlines, which no note may hold. */
const hasControls = (text: string) => [...text].some((letter) => letter < ' ' && letter !== '\n');

/** A verifier's key: whose name, and which 32 bytes. */
export type NoteKey = { readonly name: string; readonly publicKey: Uint8Array };

export type Checkpoint = {
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Buffer;
};

/** The first four bytes of SHA-256(name || 0x0A || 0x01 || public key). */
export function noteKeyHash({ name, publicKey }: NoteKey): Buffer {
  const hash = createHash('sha256').update(`${name}\n`).update(Buffer.of(ED25519));
  return hash.update(publicKey).digest().subarray(0, 4);
}

/** `name+hash+base64(0x01 || public key)`, as verifiers are told of a key. */
export function vkeyOf(key: NoteKey): string {
  const encoded = Buffer.concat([Buffer.of(ED25519), key.publicKey]).toString('base64');
  return `${key.name}+${noteKeyHash(key).toString('hex')}+${encoded}`;
}

/** `undefined` when it is not the text of an Ed25519 key, or its hash is of another. */
export function parseVkey(text: string): NoteKey | undefined {
  const [, name = '', hash, encoded = ''] =
    /^([^+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  if (!KEY_NAME.test(name) || bytes.length !== 1 + PUBLIC_KEY_BYTES || bytes[0] !== ED25519)
    return undefined;
  const key = { name, publicKey: bytes.subarray(1) };
  return noteKeyHash(key).toString('hex') === hash ? key : undefined;
}

/**
 * Signs a text under a key name.
 *
 * @param text  Ends in a newline; no control character beside newlines.
 */
export async function signNote(text: string, name: string, signer: Signer): Promise<string> {
  if (!text.endsWith('\n') || hasControls(text) || !KEY_NAME.test(name)) {
    throw new TypeError('not the text of a note');
  }
  const signature = await signer.sign(Buffer.from(text));
  const hash = noteKeyHash({ name, publicKey: signer.publicKey });
  return `${text}\n— ${name} ${Buffer.concat([hash, signature]).toString('base64')}\n`;
}

/**
 * The text of a note that this key signed; `undefined` for anything else.
 *
 * A note of many signatures is one of this key when the first line with its name and hash verifies.
 */
export function openNote(note: string, key: NoteKey): string | undefined {
  if (Buffer.byteLength(note) > NOTE_BYTES_MAX || hasControls(note)) return undefined;
  const cut = note.lastIndexOf('\n\n');
  if (cut < 0 || !note.endsWith('\n')) return undefined;
  const text = note.slice(0, cut + 1);
  const lines = note.slice(cut + 2, -1).split('\n');
  if (lines.length > SIGNATURES_MAX) return undefined;
  const hash = noteKeyHash(key);
  let signed: boolean | undefined;
  for (const line of lines) {
    const [, name, encoded = ''] = SIGNATURE_LINE.exec(line) ?? [];
    if (name === undefined) return undefined;
    const bytes = Buffer.from(encoded, 'base64');
    if (name !== key.name || !bytes.subarray(0, 4).equals(hash)) continue;
    signed ??= verifySignature(key.publicKey, Buffer.from(text), bytes.subarray(4));
  }
  return signed ? text : undefined;
}

export const checkpointText = ({ origin, size, root }: Checkpoint): string =>
  `${origin}\n${size}\n${root.toString('base64')}\n`;

/** `undefined` when the text is not a checkpoint. Extension lines are covered and ignored. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [, origin, size, encoded = ''] = CHECKPOINT.exec(text) ?? [];
  if (origin === undefined || !Number.isSafeInteger(Number(size))) return undefined;
  const root = Buffer.from(encoded, 'base64');
  return root.toString('base64') === encoded ? { origin, size: Number(size), root } : undefined;
}

/** Signs a checkpoint under its origin, as logs do. */
export const signCheckpoint = (checkpoint: Checkpoint, signer: Signer): Promise<string> =>
  signNote(checkpointText(checkpoint), checkpoint.origin, signer);

/** The checkpoint of a note that this key signed under the name of the checkpoint's origin. */
export function openCheckpoint(note: string, publicKey: Uint8Array): Checkpoint | undefined {
  const name = note.slice(0, Math.max(0, note.indexOf('\n')));
  const text = KEY_NAME.test(name) ? openNote(note, { name, publicKey }) : undefined;
  return text === undefined ? undefined : parseCheckpoint(text);
}
