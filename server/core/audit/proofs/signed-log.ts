import { createHash } from 'node:crypto';
import { openCheckpoint } from '#base/signed-note';
import type { Look } from '#core/looking';

const TILE = 256;
const HASH_BYTES = 32;
/** Beyond this the newest leaves are read, and the root is not computed again. */
const TILES_MAX = 400;

export type SignedLog = {
  readonly size: number;
  /** In hexadecimal digits, of the leaves from `first` on. */
  readonly leaves: readonly string[];
  readonly first: number;
  /** Undefined where not all leaves were read. */
  readonly rootFits: boolean | undefined;
};

const node = (left: Buffer, right: Buffer) =>
  createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest();

/** RFC 6962, section 2.1: the root over some leaves, at least one. */
function rootOf(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (leaves.length === 1 && only) return only;
  let left = 1;
  while (left * 2 < leaves.length) left *= 2;
  return node(rootOf(leaves.slice(0, left)), rootOf(leaves.slice(left)));
}

export type Bodies = { readonly read: number; readonly changed: number };

/** As many of the newest bodies as are read again each time. */
const BODY_TILES_MAX = 40;

/** The entries of a bundle, each behind its length in two bytes; one without a body was cut off. */
function* entriesOf(bundle: Buffer): Generator<Buffer> {
  for (let at = 0; at + 2 <= bundle.length; ) {
    const end = at + 2 + bundle.readUInt16BE(at);
    yield bundle.subarray(at + 2, end);
    at = end;
  }
}

/**
 * Hashes the newest entries of the log once more, as they are stored.
 *
 * @returns `undefined` where they could not be read.
 */
export async function readBodies(look: Look, log: SignedLog): Promise<Bodies | undefined> {
  const tiles = Math.ceil(log.size / TILE);
  let [read, changed] = [0, 0];
  for (let index = Math.max(0, tiles - BODY_TILES_MAX); index < tiles; index++) {
    const width = Math.min(TILE, log.size - index * TILE);
    const address = `/v1/t/${look.tenant}/audit/tile/entries/${addressOf(index, width)}`;
    const { status, bytes } = await look.operator(address);
    if (status !== 200) return undefined;
    const bodies = [...entriesOf(bytes)];
    for (let at = 0; at < width; at++) {
      const body = bodies[at];
      if (body?.length === 0) continue;
      read += 1;
      const leaf = createHash('sha256')
        .update(Buffer.of(0))
        .update(body ?? '')
        .digest('hex');
      if (leaf !== log.leaves[index * TILE - log.first + at]) changed += 1;
    }
  }
  return { read, changed };
}

/** The address of a tile: 1234 is `x001/234`. */
function addressOf(index: number, width: number): string {
  const digits = String(index);
  const parts = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) ?? [];
  const path = parts.map((part, at) => (at < parts.length - 1 ? `x${part}` : part)).join('/');
  return width === TILE ? path : `${path}.p/${width}`;
}

/** The key that the installation publishes. */
async function publicKey({ http }: Look): Promise<Buffer> {
  const { keys } = (await http('/.well-known/troth-keys.json')).json as { keys: { x: string }[] };
  return Buffer.from(keys[0]?.x ?? '', 'base64url');
}

/**
 * Reads a service's log as a stranger would: its signed checkpoint, and the hashes below it.
 *
 * @returns `undefined` where there is no log, or no signature of the installation on it.
 */
export async function readLog(look: Look): Promise<SignedLog | undefined> {
  const { http, tenant } = look;
  const note = await http(`/v1/t/${tenant}/audit/checkpoint`);
  if (note.status !== 200) return undefined;
  const checkpoint = openCheckpoint(note.text, await publicKey(look));
  if (!checkpoint?.origin.endsWith(`/${tenant}`)) return undefined;
  const { size, root } = checkpoint;
  const tiles = Math.ceil(size / TILE);
  const from = Math.max(0, tiles - TILES_MAX);
  const leaves: Buffer[] = [];
  for (let index = from; index < tiles; index++) {
    const width = Math.min(TILE, size - index * TILE);
    const { bytes } = await http(`/v1/t/${tenant}/audit/tile/0/${addressOf(index, width)}`);
    if (bytes.length !== width * HASH_BYTES) return undefined;
    for (let at = 0; at < width; at++) {
      leaves.push(bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
    }
  }
  return {
    size,
    first: from * TILE,
    leaves: leaves.map((leaf) => leaf.toString('hex')),
    rootFits: from > 0 ? undefined : leaves.length > 0 && rootOf(leaves).equals(root),
  };
}
