/**
 * The operator's session of the console: a link that works once, then a cookie.
 *
 * Links and sessions are random 256-bit tokens of which only the SHA-256 is kept, so that reading
 * the table, or a dump of it, opens nothing. The cookie is out of reach of scripts and is never
 * sent along from another site.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '#base/clock';
import { httpProblem } from './errors.ts';

export const OPERATOR_COOKIE = 'troth_operator';
export const SESSION_SECONDS = 12 * 3_600;
/** How long a link waits to be opened. */
export const LINK_DAYS = 7;
const LINK_SECONDS = LINK_DAYS * 24 * 3_600;
/** How long an answer about a cookie is trusted without asking the store again. */
const TRUSTED_MS = 30_000;
const TRUSTED_MAX = 1_000;

export type Token = { hash: Buffer; expiresAt: Date };

export type OperatorStore = {
  addLink(link: Token): Promise<void>;
  /** Spends a link for a session, both or neither: true once, false ever after. */
  enter(link: Buffer, session: Token, now: Date): Promise<boolean>;
  sessionLives(hash: Buffer, now: Date): Promise<boolean>;
  endSession(hash: Buffer, now: Date): Promise<void>;
};

export type Operator = {
  /** A token for `/operator?token=…`; works once, within seven days. */
  newLink(): Promise<string>;
  /** @throws Problem operator-link-spent */
  enter(token: string): Promise<{ cookie: string }>;
  knows(cookie: string | undefined): Promise<boolean>;
  leave(cookie: string): Promise<void>;
};

const TOKEN = /^[A-Za-z0-9_-]{43}$/;
const newToken = () => randomBytes(32).toString('base64url');
const hashOf = (token: string) => createHash('sha256').update(token).digest();
const after = (now: Date, seconds: number) => new Date(now.getTime() + seconds * 1_000);

export function openOperator(store: OperatorStore, clock: Clock): Operator {
  const trusted = new Map<string, number>();

  const tokenFor = (seconds: number) => {
    const text = newToken();
    return { text, hash: hashOf(text), expiresAt: after(clock.now(), seconds) };
  };

  return {
    async newLink() {
      const { text, hash, expiresAt } = tokenFor(LINK_SECONDS);
      await store.addLink({ hash, expiresAt });
      return text;
    },

    async enter(token) {
      const { text: cookie, hash, expiresAt } = tokenFor(SESSION_SECONDS);
      const session = { hash, expiresAt };
      const spent = TOKEN.test(token) && (await store.enter(hashOf(token), session, clock.now()));
      if (!spent)
        throw httpProblem('operator-link-spent', 'Restart the server, or ask it for a new link.');
      return { cookie };
    },

    async knows(cookie) {
      if (!cookie || !TOKEN.test(cookie)) return false;
      const now = clock.now();
      const hash = hashOf(cookie);
      const name = hash.toString('base64');
      if ((trusted.get(name) ?? 0) > now.getTime()) return true;
      trusted.delete(name);
      if (!(await store.sessionLives(hash, now))) return false;
      if (trusted.size >= TRUSTED_MAX) trusted.clear();
      trusted.set(name, now.getTime() + TRUSTED_MS);
      return true;
    },

    async leave(cookie) {
      const hash = hashOf(cookie);
      trusted.delete(hash.toString('base64'));
      await store.endSession(hash, clock.now());
    },
  };
}
