/**
 * Who the events come from. An anonymous id lives for one day (UTC): at midnight a new one is drawn
 * and the old one forgotten, so that no two days can be joined. Only a mode that the page asks for
 * keeps an id for longer.
 */
import { memoryStore, openStore, randomId } from './host.ts';
import type { ClientOptions, KeyValueStore, Mode, PrivacyPreferences } from './model.ts';

/** All that is kept in the browser: one entry, first-party. */
export type Kept = {
  id: string;
  /** Days since 1970 on which the id was drawn. */
  day: number;
  user?: string;
  choices?: PrivacyPreferences;
  /** Whether the server has heard the choices under this id. */
  told?: boolean;
};

const DAY_MS = 86_400_000;

export class Identity {
  readonly #name: string;
  readonly #store: KeyValueStore;
  readonly #now: () => number;
  readonly #mode: Mode;
  #kept: Kept | undefined;

  constructor({ tenant, mode = 'anonymous', storage, now = Date.now }: ClientOptions) {
    this.#name = `troth:${tenant}`;
    this.#store = storage === 'memory' ? memoryStore() : (storage ?? openStore());
    this.#now = now;
    this.#mode = mode;
  }

  /** The ids of this moment. The store is read first: another tab may have drawn today's already. */
  current(): Kept {
    const day = Math.floor(this.#now() / DAY_MS);
    const kept = this.#kept;
    if (kept && this.#fits(kept, day)) return kept;
    const stored = this.#read();
    if (stored && this.#fits(stored, day)) {
      this.#kept = stored;
      return stored;
    }
    const choices = (stored ?? kept)?.choices;
    return this.#keep({ id: randomId(), day, ...(choices && { choices }) });
  }

  become(user: string): void {
    this.#keep({ ...this.current(), user });
  }

  /** What the person decided, kept so that a new day's id, and a new page, start with it. */
  choose(choices: PrivacyPreferences): void {
    this.#keep({ ...this.current(), choices, told: false });
  }

  /** The server holds the choices of this id. Nothing to note for an id of the past. */
  heard(id: string): void {
    const kept = this.#kept;
    if (kept?.id === id && kept.choices) this.#keep({ ...kept, told: true });
  }

  reset(): void {
    this.#kept = undefined;
    try {
      this.#store.removeItem(this.#name);
    } catch {
      // The next id overwrites it.
    }
  }

  #fits(kept: Kept, day: number): boolean {
    return this.#mode !== 'anonymous' || (kept.day === day && kept.user === undefined);
  }

  #read(): Kept | undefined {
    try {
      const kept = JSON.parse(this.#store.getItem(this.#name) ?? 'null') as Kept | null;
      return kept && typeof kept.id === 'string' ? kept : undefined;
    } catch {
      return undefined;
    }
  }

  #keep(kept: Kept): Kept {
    this.#kept = kept;
    // A name that says who somebody is never rests in the browser: the page gives it again.
    const { user: _, ...rest } = kept;
    const stored = this.#mode === 'pseudonymous' ? kept : rest;
    try {
      this.#store.setItem(this.#name, JSON.stringify(stored));
    } catch {
      // Without room the id lives as long as the page.
    }
    return kept;
  }
}
