/**
 * Turns whatever a handler threw into an answer: a problem, also for an engine that is away, or
 * `internal` without a message.
 */
import { escapeHtml } from '@troth/policy-language';
import type { Context } from 'hono';
import { Word } from '#base/ids';
import { Problem } from '#base/problem';
import type { Action } from '#core/policy';
import { databaseAway } from '#platform/database';
import { framesOf, type Log } from '#platform/log';
import type { Edge } from './edge.ts';
import { httpProblem } from './errors.ts';
import { htmlPage } from './page.ts';

const WHERE = Word('edges.http');

/** A person who follows a link reads HTML; every client reads the problem itself. */
const wantsPage = (c: Context<Edge>) =>
  c.req.header('sec-fetch-mode') === 'navigate' && !c.req.path.startsWith('/v1/');

/** @param more  members for the one who asked, which no log has. @see RFC 9457 section 3.2 */
export function answerProblem(c: Context<Edge>, problem: Problem, more: object = {}): Response {
  const { status, code, title, detail, retryAfterSeconds } = problem;
  const headers = new Headers({ 'cache-control': 'no-store', 'content-language': 'en' });
  if (retryAfterSeconds !== undefined) headers.set('retry-after', String(retryAfterSeconds));
  if (status === 401) {
    const isOperators = Object.hasOwn(OPERATORS, code);
    headers.set('www-authenticate', isOperators ? 'Troth-Operator' : 'Bearer realm="write-key"');
  }
  const allow = problem.fields['allow'];
  if (typeof allow === 'string') headers.set('allow', allow);
  if (wantsPage(c)) {
    const main = `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(detail)}</p>
      <p><a href="/problems/${code}">What this means</a> · <a href="/">Overview</a></p>`;
    return htmlPage({ title, main, status, headers });
  }
  headers.set('content-type', 'application/problem+json');
  return new Response(JSON.stringify({ ...problem.toJSON(), ...more }), { status, headers });
}

/** What strangers are refused that is the operator's, and as which act. Other doors record theirs. */
const OPERATORS: Readonly<Record<string, Action>> = {
  'operator-only': 'operator.act',
  'operator-link-spent': 'operator.sign-in',
};

/** Resolves when it is durable; `undefined` when nothing has to be awaited. */
export type RecordRefusal = (
  refusal: Problem,
  by: { readonly tenant: string | undefined; readonly action: Action },
) => Promise<void> | undefined;

/** @returns the handler that Hono calls with everything thrown below it. */
export function answerThrown(given: { log: Log; recordRefusal?: RecordRefusal }) {
  const { log, recordRefusal } = given;
  return async (thrown: Error, c: Context<Edge>): Promise<Response> => {
    if (thrown instanceof Problem) {
      const action = OPERATORS[thrown.code];
      const tenant = /^\/v1\/t\/([^/]{1,31})\//.exec(c.req.path)?.[1];
      // The refusal stands, whether or not it could be written down.
      if (action) await recordRefusal?.(thrown, { tenant, action })?.catch(() => undefined);
      return answerProblem(c, thrown);
    }
    const away = databaseAway(thrown);
    if (away) return answerProblem(c, away);
    const { requestId } = c.var;
    log('bug.seen', { where: WHERE, request: requestId, frames: framesOf(thrown) });
    return answerProblem(
      c,
      httpProblem('internal', 'The request was not carried out. The id finds it in the log.', {
        request: requestId,
      }),
    );
  };
}
