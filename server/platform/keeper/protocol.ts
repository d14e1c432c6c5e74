/**
 * The keeper's wire: length-prefixed frames of JSON on a unix socket. Binary values are base64.
 *
 * One call may carry 10,000 handles, so a batch costs one round trip. `at` is the caller's clock in
 * milliseconds: the keeper never asks the machine what time it is.
 */
import { Buffer } from 'node:buffer';

export const FRAME_BYTES_MAX = 16 * 1024 * 1024;
export const HANDLES_MAX = 10_000;
/** NIST SP 800-38D allows 2^32 random nonces a key; a key is retired sixteen times earlier. */
export const SEALS_MAX = 2 ** 28;

export type Bytes = string;
export type KeyClass = 'type' | 'period' | 'vault' | 'pseudonym' | 'index';
export type OpenedKey = { subject: string; keyId: Bytes; key: Bytes; created: boolean };
export type Missing = 'unknown' | 'erased' | 'hidden';
/** Who a handle stands for, hidden or not; nothing of a key. */
export type Whoever = { subject: string } | 'unknown' | 'erased';
/** What of a person is in the keyring, as random numbers that open nothing. */
export type Trace = { subject: string; handles: Bytes[]; keyIds: Bytes[]; nonces: Bytes[] };
export type NamedKey = { keyId: Bytes; key: Bytes; version: number };
export type Named = {
  tenant: string;
  name: string;
  class: KeyClass;
  at: number;
  /** Seals the caller reserves; the version rolls before 2^28 are spent. */
  lease?: number;
  destroyAt?: number;
};
export type Destroyed = {
  subjects: string[];
  keyIds: Bytes[];
  /** Connected servers that dropped their copies before this answer. */
  acknowledged: number;
  /** Servers that did not answer in time and were cut off; they forget on losing the socket. */
  cutOff: number;
};
/** How much the keyring holds of a tenant. */
export type Census = { people: number; keys: number; handles: number; links: number };
export type KeeperStatus = {
  instance: string;
  epoch: number;
  epochAt: number;
  rotating: boolean;
  keysLeft: number;
  subjects: number;
  tenants: number;
  copies: 1 | 2;
  /** Why keys might not survive the loss of one disk; empty when they would. */
  durabilityGaps: string[];
  wrap: 'file' | 'passphrase';
  recovery: boolean;
  connections: number;
};

export type KeeperCalls = {
  hello: { ask: { listen: boolean }; answer: { instance: string; epoch: number } };
  subjects: {
    ask: { tenant: string; handles: Bytes[]; create: boolean; at: number };
    answer: (OpenedKey | Missing)[];
  };
  open: {
    ask: { tenant: string; subjects: string[]; at: number };
    answer: (OpenedKey | Missing)[];
  };
  link: {
    /**
     * `claimed`: nobody stands behind it, so it is refused where `from` is another's already.
     * `same`: two names of one person, so an erasure of either takes both.
     */
    ask: { tenant: string; from: Bytes; to: Bytes; at: number; as?: 'claimed' | 'same' };
    answer: { linked: boolean; taken?: boolean };
  };
  /** Whether `from` was linked to `to` by somebody who stands behind it. */
  vouched: { ask: { tenant: string; from: Bytes; to: Bytes }; answer: boolean };
  linked: { ask: { tenant: string; subject: string }; answer: string[] };
  whois: { ask: { tenant: string; handles: Bytes[]; at: number }; answer: Whoever[] };
  traces: { ask: { tenant: string; subjects: string[] }; answer: Trace[] };
  named: { ask: { keys: Named[] }; answer: NamedKey[] };
  namedVersion: {
    ask: { tenant: string; name: string; keyId: Bytes };
    answer: NamedKey | 'unknown';
  };
  /** Signs with a key that never leaves; made when first asked for. Ed25519, 64 bytes. */
  sign: {
    ask: { name: string; bytes: Bytes };
    answer: { signature: Bytes; publicKey: Bytes };
  };
  /** Of such a key: 32 bytes. */
  publicKey: { ask: { name: string }; answer: { publicKey: Bytes } };
  quarantine: {
    ask: { tenant: string; subject: string; destroyAt: number };
    answer: Destroyed;
  };
  release: { ask: { tenant: string; subject: string }; answer: { released: number } };
  destroy: {
    ask: { tenant: string; subject: string; at: number; lateUntil: number };
    answer: Destroyed;
  };
  destroyNamed: { ask: { tenant: string; name: string }; answer: Destroyed };
  census: { ask: { tenant: string }; answer: Census };
  /** Everything of a tenant, some thousand rows a call; `more`: call again. */
  destroyTenant: {
    ask: { tenant: string };
    answer: { more: boolean } & Pick<Destroyed, 'acknowledged' | 'cutOff'>;
  };
  destroyDue: {
    ask: { at: number; lateUntil: number };
    answer: { subjects: number; named: number; tombstones: number };
  };
  rotate: { ask: { at: number }; answer: { epoch: number; keysLeft: number } };
  status: { ask: { at: number }; answer: KeeperStatus };
  recovery: { ask: { at: number }; answer: { secret: Bytes } };
};
export type Call = keyof KeeperCalls;
export type Ask<C extends Call> = KeeperCalls[C]['ask'];
export type Answer<C extends Call> = KeeperCalls[C]['answer'];
export type Evict = {
  tenant: string;
  subjects: string[];
  names: string[];
  /** The tenant has ended: whatever is known of it is to be dropped. */
  all?: boolean;
};

export type Frame =
  | { kind: 'ask'; id: number; call: Call; ask: unknown }
  | { kind: 'answer'; id: number; answer: unknown }
  | { kind: 'refusal'; id: number; code: string; detail: string }
  | { kind: 'evict'; id: number; evict: Evict }
  | { kind: 'evicted'; id: number };

export function encodeFrame(frame: Frame): Buffer {
  const body = JSON.stringify(frame);
  const bytes = Buffer.byteLength(body);
  if (bytes > FRAME_BYTES_MAX) throw new RangeError('the frame is larger than 16 MB');
  const out = Buffer.allocUnsafe(4 + bytes);
  out.writeUInt32BE(bytes, 0);
  out.write(body, 4);
  return out;
}

/** Cuts a byte stream into frames; throws on a frame that is too long or is not JSON. */
export function frameReader(onFrame: (frame: Frame) => void): (chunk: Buffer) => void {
  let rest: Buffer[] = [];
  let have = 0;
  return (chunk) => {
    rest.push(chunk);
    have += chunk.length;
    while (have >= 4) {
      const head = rest[0];
      if (!head) return;
      // Joining only when a frame is complete keeps a large frame linear in its size.
      if (head.length < 4) rest = [Buffer.concat(rest)];
      const bytes = (rest[0] as Buffer).readUInt32BE(0);
      if (bytes > FRAME_BYTES_MAX) throw new RangeError('the frame is larger than 16 MB');
      if (have < 4 + bytes) return;
      const all = rest.length === 1 ? (rest[0] as Buffer) : Buffer.concat(rest);
      rest = all.length > 4 + bytes ? [all.subarray(4 + bytes)] : [];
      have -= 4 + bytes;
      onFrame(JSON.parse(all.toString('utf8', 4, 4 + bytes)) as Frame);
    }
  };
}
