import type { SubjectState } from './model.ts';

/**
 * Decisions of people, in two generations of at most `subjectsMax` each: when the young one is full
 * it becomes the old one, and the old one goes. What was loaded for one batch is still there when
 * the batch is decided, and no bookkeeping is done for a read.
 */
export class ConsentMemory {
  readonly #subjectsMax: number;
  #young = new Map<string, SubjectState>();
  #old = new Map<string, SubjectState>();

  constructor(subjectsMax: number) {
    this.#subjectsMax = subjectsMax;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(name: string): SubjectState | undefined {
    return this.#young.get(name) ?? this.#old.get(name);
  }

  /** True when it is there; it then stays for another generation. */
  touch(name: string): boolean {
    if (this.#young.has(name)) return true;
    const state = this.#old.get(name);
    if (!state) return false;
    this.#old.delete(name);
    this.set(name, state);
    return true;
  }

  set(name: string, state: SubjectState): void {
    if (this.#young.size >= this.#subjectsMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(name, state);
  }

  forget(name: string): void {
    this.#young.delete(name);
    this.#old.delete(name);
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
  }
}
