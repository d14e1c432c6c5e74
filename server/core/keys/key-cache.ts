/**
 * Open keys by handle, for at most a minute and at most so many.
 *
 * Two generations: every half of the time (or when it is full) the young one becomes the old one
 * and the old one is dropped whole. Nothing is moved on use, so no key outlives its minute, and
 * there is neither a timer per key nor a list to keep in order.
 */
import type { SubjectKey } from './model.ts';

/** `'unknown'` is remembered for a moment only: somebody else may make the person known. */
type Entry = SubjectKey | 'unknown';
const UNKNOWN_MS = 1_000;

type Generation = {
  readonly since: number;
  readonly keys: Map<string, SubjectKey>;
  /** Which handles to drop when a subject is destroyed. */
  readonly names: Map<string, string[]>;
  readonly links: Set<string>;
};

export class KeyCache {
  readonly #halfMs: number;
  readonly #halfMax: number;
  #young: Generation;
  #old: Generation;
  #unknown = new Map<string, number>();

  /** @param lifeMs  At most 60,000. */
  constructor({ lifeMs, keysMax }: { lifeMs: number; keysMax: number }) {
    this.#halfMs = lifeMs / 2;
    this.#halfMax = Math.max(1, Math.floor(keysMax / 2));
    this.#young = this.#fresh();
    this.#old = this.#young;
  }

  get(name: string): Entry | undefined {
    this.#turn();
    const found = this.#young.keys.get(name) ?? this.#old.keys.get(name);
    if (found) return found;
    const until = this.#unknown.get(name);
    if (until === undefined) return undefined;
    if (until > performance.now()) return 'unknown';
    this.#unknown.delete(name);
    return undefined;
  }

  put(name: string, entry: Entry): void {
    this.#turn();
    if (entry === 'unknown') {
      if (this.#unknown.size >= this.#halfMax) this.#unknown.clear();
      this.#unknown.set(name, performance.now() + UNKNOWN_MS);
      return;
    }
    this.#unknown.delete(name);
    const { keys, names } = this.#young;
    keys.set(name, entry.created ? { ...entry, created: false } : entry);
    const handles = names.get(entry.subject);
    if (handles) handles.push(name);
    else names.set(entry.subject, [name]);
  }

  /** True when this pair was noted within the last minute, so that it need not be written again. */
  hasLink(pair: string): boolean {
    this.#turn();
    return this.#young.links.has(pair) || this.#old.links.has(pair);
  }

  noteLink(pair: string): void {
    this.#turn();
    this.#young.links.add(pair);
  }

  drop(subjects: readonly string[]): void {
    for (const generation of [this.#young, this.#old]) {
      for (const subject of subjects) {
        for (const name of generation.names.get(subject) ?? []) generation.keys.delete(name);
        generation.names.delete(subject);
      }
      generation.links.clear();
    }
  }

  /** Everything of a tenant. */
  forget(tenant: string): void {
    for (const { keys, names, links } of [this.#young, this.#old]) {
      for (const [name, { subject }] of keys) {
        if (!name.startsWith(`${tenant}|`)) continue;
        keys.delete(name);
        names.delete(subject);
      }
      links.clear();
    }
    for (const name of this.#unknown.keys()) {
      if (name.startsWith(`${tenant}|`)) this.#unknown.delete(name);
    }
  }

  clear(): void {
    this.#young = this.#fresh();
    this.#old = this.#young;
    this.#unknown.clear();
  }

  get size(): number {
    return this.#young.keys.size + (this.#old === this.#young ? 0 : this.#old.keys.size);
  }

  #fresh(): Generation {
    return { since: performance.now(), keys: new Map(), names: new Map(), links: new Set() };
  }

  #turn(): void {
    const age = performance.now() - this.#young.since;
    const full = this.#young.keys.size >= this.#halfMax || this.#young.links.size >= this.#halfMax;
    if (age < this.#halfMs && !full) return;
    // Idle for longer than a generation: the young one is too old as well.
    this.#old = age >= 2 * this.#halfMs ? this.#fresh() : this.#young;
    this.#young = this.#fresh();
  }
}
