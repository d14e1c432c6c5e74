/**
 * Which messages may have been stored lately: a Bloom filter in two generations, of fixed size.
 *
 * "No" is certain. "Maybe" (one in a hundred while a generation holds at most a tenth of its bits
 * in messages) is settled by asking the event store. Two 64-bit halves of a keyed hash are all the
 * hash functions that are needed.
 *
 * @see Kirsch, Mitzenmacher, "Less Hashing, Same Performance: Building a Better Bloom Filter"
 *      (2006).
 */
const HASHES = 6;

export class RotatingBloom {
  readonly #bits: number;
  readonly #countMax: number;
  #young: Uint32Array;
  #old: Uint32Array;
  #count = 0;

  /** @param bits a power of two, at least 32; a generation takes bits/8 bytes. */
  constructor(bits = 1 << 28) {
    this.#bits = bits;
    this.#countMax = Math.floor(bits / 10);
    this.#young = new Uint32Array(bits / 32);
    this.#old = new Uint32Array(bits / 32);
  }

  mayHave(low: number, high: number): boolean {
    return this.#has(this.#young, low, high) || this.#has(this.#old, low, high);
  }

  /**
   * @returns true when the filter turned over: what was added before the last turn is forgotten.
   */
  add(low: number, high: number): boolean {
    const turned = this.#count >= this.#countMax;
    if (turned) this.turn();
    this.#count++;
    const step = high | 1;
    for (let i = 0, at = low >>> 0; i < HASHES; i++, at = (at + step) >>> 0) {
      const bit = at & (this.#bits - 1);
      this.#young[bit >>> 5] = (this.#young[bit >>> 5] ?? 0) | (1 << (bit & 31));
    }
    return turned;
  }

  /** Starts a new generation and forgets the one before the last. */
  turn(): void {
    this.#old = this.#young;
    this.#young = new Uint32Array(this.#bits / 32);
    this.#count = 0;
  }

  #has(bits: Uint32Array, low: number, high: number): boolean {
    const step = high | 1;
    for (let i = 0, at = low >>> 0; i < HASHES; i++, at = (at + step) >>> 0) {
      const bit = at & (this.#bits - 1);
      if (((bits[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }
}
