/** Addresses that a proof invents, and every form in which one of them may be written down. */
import { createHash, getHashes, randomInt } from 'node:crypto';
import { ownAddress } from './from-address.ts';

/** Shorter ones stand everywhere. */
const NUMBER_MIN = 8;

/** Three of one network: two that differ in their ends alone, and one of a part next door. */
type Three = readonly [string, string, string];
export type Addresses = {
  readonly four: Three;
  readonly six: Three;
  /** Two neighbours of this machine, that requests come from. */
  readonly own: readonly [string, string];
};

const group = () => randomInt(0x1000, 0xffff).toString(16);
const groups = (count: number) => Array.from({ length: count }, group).join(':');

/** Of a German and an American network, so that they can be placed, each in one place. */
export function inventAddresses(): Addresses {
  const [part, end] = [randomInt(10, 125), randomInt(100, 175)];
  const [four, six, own] = ['141.20', '2001:4860:4860', ownAddress()];
  const near = `${six}:${group()}`;
  return {
    four: [`${four}.${part}.${end}`, `${four}.${part}.${end + 75}`, `${four}.${part + 125}.${end}`],
    six: [`${near}:${groups(4)}`, `${near}:${groups(4)}`, `${six}:${groups(5)}`],
    own: [own, own.replace(/\d+$/, (last) => String(Number(last) + 1))],
  };
}

export const allOf = ({ four, six, own }: Addresses): readonly string[] => [
  ...four,
  ...six,
  ...own,
];

const isSix = (address: string) => address.includes(':');

function binaryOf(address: string): Buffer {
  if (!isSix(address)) return Buffer.from(address.split('.').map(Number));
  const digits = address.split(':').map((one) => one.padStart(4, '0'));
  return Buffer.from(digits.join(''), 'hex');
}

/** What is often taken for forgetting: a digest without a key, which anybody can compute. */
function digestsOf(address: string): Buffer[] {
  return ['md5', 'sha1', 'sha256', 'sha512'].flatMap((name) => {
    const digest = createHash(name).update(address).digest();
    return [digest, Buffer.from(digest.toString('hex')), Buffer.from(digest.toString('base64'))];
  });
}

/** The whole address, as it came or as a plain digest of it. */
export function formsOf(address: string): Buffer[] {
  const texts = isSix(address) ? [address, address.toUpperCase()] : [address, `::ffff:${address}`];
  const binary = isSix(address) ? [binaryOf(address)] : [];
  return [...texts.map((text) => Buffer.from(text)), ...binary, ...digestsOf(address)];
}

const SEPARATORS = ['-', '_', ',', ', ', ' ', '/', ':', '.'];

/** The same in another writing, as logs and look-ups have it. A list of numbers may be like it. */
export function rewritten(address: string): Buffer[] {
  const parts = address.split(isSix(address) ? ':' : '.');
  const digits = binaryOf(address).toString('hex');
  const backwards = isSix(address) ? [...digits].reverse() : parts.toReversed();
  const texts = [
    ...SEPARATORS.map((one) => parts.join(one)),
    parts.map((part) => part.padStart(3, '0')).join('.'),
    backwards.join('.'),
    isSix(address) ? digits : `ffff:${digits.slice(0, 4)}:${digits.slice(4)}`,
    ...(isSix(address) ? [BigInt(`0x${digits}`).toString()] : []),
  ];
  const known = new Set([address, address.toUpperCase()]);
  const all = new Set([...texts, ...texts.map((text) => text.toUpperCase())]).difference(known);
  return [...all].map((text) => Buffer.from(text));
}

/** An address of four bytes as one number: so short that only few files can be searched for it. */
export function numbersOf(address: string): Buffer[] {
  if (isSix(address)) return [];
  const binary = binaryOf(address);
  const digits = binary.toString('hex');
  const texts = [
    String(binary.readUInt32BE()),
    String(binary.readUInt32LE()),
    digits,
    digits.toUpperCase(),
  ];
  return texts.filter((text) => text.length >= NUMBER_MIN).map((text) => Buffer.from(text));
}

/** The part of an address that says whose network it is of; long enough to be searched for. */
export const partOf = (address: string): Buffer =>
  Buffer.from(
    isSix(address) ? `${address.split(':').slice(0, 4).join(':')}:` : address.replace(/\d+$/, ''),
  );

function digest(name: string, of: Buffer): Buffer {
  try {
    return createHash(name).update(of).digest();
  } catch {
    return Buffer.alloc(8); // An algorithm that this build names and does not have.
  }
}

/** Whether a value is the address as a number, or begins any digest of it that has no key. */
export function isUnkeyed(value: string, address: string): boolean {
  const [text, binary] = [Buffer.from(address), binaryOf(address)];
  if (!isSix(address) && value === String(binary.readUInt32BE())) return true;
  return getHashes().some((name) =>
    [text, binary].some((of) => {
      const head = digest(name, of).subarray(0, 8);
      if (head.length < 8 || head.every((byte) => byte === 0)) return false;
      const numbers = [head.readBigUInt64BE(), head.readBigUInt64LE()].map(String);
      return (
        value.toLowerCase().includes(head.toString('hex')) ||
        value.includes(head.toString('base64').slice(0, 10)) ||
        numbers.includes(value)
      );
    }),
  );
}
