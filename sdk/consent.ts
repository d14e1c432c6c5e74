/**
 * What the person agreed to, as far as this page knows. Closed until the server has answered; a no
 * counts at once, a yes from the moment at which the server has it on record.
 */
import type { Kept } from './identity.ts';
import type { ClientOptions, PrivacyPreferences, PurposeState } from './model.ts';

/** One consent call that waits to be sent, or the question how things stand. */
export type ConsentCall = { id: string; method: string; path: string; body?: object };

export type Verdict = 'send' | 'wait' | 'consent-refused' | 'signal';

const CALLS_MAX = 100;

/** The question. Its id is in the body, since addresses are kept in logs. */
export const ASK = '/status';

/** In what is kept: everything was withdrawn, and what else stands there was said later. */
const ALL = '*';

/** What a later change leaves of earlier choices; of two names of one purpose the later stands. */
export function merge(before: PrivacyPreferences, change: PrivacyPreferences): PrivacyPreferences {
  if (change[ALL] === false) return change;
  const names = new Set(Object.keys(change).map(kebab));
  const kept = Object.entries(before).filter(([name]) => !names.has(kebab(name)));
  return { ...Object.fromEntries(kept), ...change };
}

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const camel = (name: string) => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

export class Consent {
  known = false;
  /** The server may know better: it is asked before anything that needs a yes leaves. */
  #stale = true;
  readonly #calls: ConsentCall[] = [];
  readonly #notice: { version: string; language: string };
  readonly #now: () => number;
  #purposes: Record<string, PurposeState> = {};
  #id = '';

  constructor({ notice = { version: '1.0', language: 'en' }, now = Date.now }: ClientOptions) {
    this.#notice = notice;
    this.#now = now;
  }

  /** Starts over for another id; tells the server the choices that it has not heard under it. */
  follow({ id, choices, told }: Kept): boolean {
    if (id === this.#id) return false;
    this.#id = id;
    this.known = false;
    this.#stale = true;
    this.#purposes = {};
    if (choices) this.#apply(choices);
    if (choices && !told) {
      const { [ALL]: base, ...rest } = choices;
      if (base === false) this.#add('POST', '/withdraw', {});
      if (base !== false || Object.values(rest).includes(true)) this.#tell(rest);
    }
    return true;
  }

  decide(wanted: PrivacyPreferences): PrivacyPreferences {
    const switches = Object.entries(wanted).map(([name, granted]) => [name, granted === true]);
    const preferences = Object.fromEntries(switches);
    this.#apply(preferences);
    this.#tell(preferences);
    return preferences;
  }

  update(name: string, yes: boolean): PrivacyPreferences {
    const purpose = `${name}`;
    const granted = yes === true;
    const change = { [purpose]: granted };
    this.#apply(change);
    const givenAt = this.#time();
    this.#add('POST', '', { purpose, granted, givenAt, notice: this.#notice });
    return change;
  }

  withdraw(): PrivacyPreferences {
    this.#apply({ [ALL]: false });
    this.#add('POST', '/withdraw', {});
    return { [ALL]: false };
  }

  /** Whether an event of this purpose may leave now. */
  judge(purpose: string | undefined, signal: boolean): Verdict {
    const state = purpose === undefined ? undefined : this.#purposes[kebab(purpose)];
    if (this.known && state?.required) return 'send';
    if (state && !state.granted && !state.required) return 'consent-refused';
    if (!this.known) return 'wait';
    if (signal) return 'signal';
    if (this.#calls.length > 0 || this.#stale) return 'wait';
    return purpose === undefined || state?.granted ? 'send' : 'consent-refused';
  }

  isGranted(purpose: string): boolean {
    return this.judge(purpose, false) === 'send';
  }

  get undelivered(): boolean {
    return this.#calls.length > 0;
  }

  /** What to send next: decisions in their order, then the question. */
  next(): ConsentCall | undefined {
    if (this.#calls.length > 0 || !this.#stale || !this.#id) return this.#calls[0];
    const id = this.#id;
    return { id, method: 'POST', path: ASK, body: { handle: { anonymousId: id } } };
  }

  /**
   * Takes the server's answer. After a refused decision, and after an answer that does not say how
   * things stand, the server is asked: what this page believes may be wrong.
   */
  answered(call: ConsentCall, accepted: boolean, body: unknown): void {
    if (this.#calls[0] === call) this.#calls.shift();
    if (call.id !== this.#id || this.#calls.length > 0) return;
    const told = (body as { purposes?: unknown } | undefined)?.purposes;
    const tells = accepted && typeof told === 'object' && told !== null;
    // A question that is refused is not asked again: known, and nothing is granted.
    this.#stale = !tells && call.path !== ASK;
    if (this.#stale) return;
    this.known = true;
    this.#purposes = {};
    for (const [name, state] of Object.entries(tells ? told : {})) {
      const { granted, required, since } = Object(state) as Partial<PurposeState>;
      this.#purposes[kebab(name)] = {
        granted: granted === true,
        required: required === true,
        since: since ?? null,
      };
    }
  }

  preferences(): Record<string, boolean> {
    const found: Record<string, boolean> = {};
    for (const [name, { granted, required }] of Object.entries(this.#purposes)) {
      found[camel(name)] = granted || required;
    }
    return found;
  }

  purposes(): Record<string, PurposeState> {
    return structuredClone(this.#purposes);
  }

  #apply(choices: PrivacyPreferences): void {
    const since = this.#time();
    if (choices[ALL] === false) {
      for (const state of Object.values(this.#purposes))
        Object.assign(state, { granted: false, since });
    }
    for (const [name, granted] of Object.entries(choices)) {
      if (name === ALL) continue;
      const required = this.#purposes[kebab(name)]?.required ?? false;
      this.#purposes[kebab(name)] = { granted, required, since };
    }
  }

  #tell(preferences: PrivacyPreferences): void {
    this.#add('PUT', '/preferences', { preferences, notice: this.#notice });
  }

  #add(method: string, path: string, body: object): void {
    const id = this.#id;
    this.#calls.push({ id, method, path, body: { handle: { anonymousId: id }, ...body } });
    // The oldest counts least: whatever is decided later prevails.
    if (this.#calls.length > CALLS_MAX) this.#calls.shift();
  }

  #time = () => new Date(this.#now()).toISOString();
}
