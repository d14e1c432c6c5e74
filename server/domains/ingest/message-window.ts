/**
 * The messages seen lately, so that a retry is answered and not stored again.
 *
 * Open addressing over typed arrays, in two generations: when the younger is half full it becomes
 * the older and the oldest is forgotten. What is forgotten here the mover still finds; this window
 * saves its work and lets a retry wait for the very commit that holds its first sending.
 */
type Generation = { low: Uint32Array; high: Uint32Array; group: Uint32Array; used: number };

export class MessageWindow {
  readonly #mask: number;
  readonly #usedMax: number;
  #young: Generation;
  #old: Generation;

  /** @param slots a power of two; the window remembers half to all of that many messages. */
  constructor(slots = 1 << 19) {
    this.#mask = slots - 1;
    this.#usedMax = slots / 2;
    this.#young = this.#fresh();
    this.#old = this.#fresh();
  }

  #fresh(): Generation {
    const slots = this.#mask + 1;
    return {
      low: new Uint32Array(slots),
      high: new Uint32Array(slots),
      group: new Uint32Array(slots),
      used: 0,
    };
  }

  /** The number (≥ 1) of the inbox group that holds the message, or 0. */
  find(low: number, high: number): number {
    return this.#lookUp(this.#young, low, high) || this.#lookUp(this.#old, low, high);
  }

  /** Remembers that `group` (≥ 1) holds the message; a later call for the same message wins. */
  put(low: number, high: number, group: number): void {
    if (this.#young.used >= this.#usedMax) {
      this.#old = this.#young;
      this.#young = this.#fresh();
    }
    const { young, slot } = { young: this.#young, slot: this.#slot(this.#young, low, high) };
    if (young.group[slot] === 0) young.used++;
    young.low[slot] = low;
    young.high[slot] = high;
    young.group[slot] = group;
  }

  /** Forgets every message. */
  forget(): void {
    this.#young = this.#fresh();
    this.#old = this.#fresh();
  }

  #lookUp(generation: Generation, low: number, high: number): number {
    return generation.group[this.#slot(generation, low, high)] ?? 0;
  }

  /** The slot of the message, or the free one where it would stand. Terminates: half are free. */
  #slot({ low: lows, high: highs, group }: Generation, low: number, high: number): number {
    let slot = low & this.#mask;
    while (group[slot] !== 0 && !(lows[slot] === low && highs[slot] === high)) {
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }
}
