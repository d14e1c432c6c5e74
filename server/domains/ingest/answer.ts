import type { ServerResponse } from 'node:http';
import type { Problem } from '#base/problem';
import type { Outcome } from './model.ts';

const JSON_TYPE = 'application/json';
const PROBLEM_TYPE = 'application/problem+json';

export type Headers = Record<string, string>;

/** What every answer of the service carries: nothing of it is a page, and nobody keeps a copy. */
const MANNERS: Headers = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

function end(response: ServerResponse, status: number, headers: Headers, body: string): void {
  if (response.destroyed || response.headersSent) return;
  const length = { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...MANNERS, ...headers, ...length });
  response.end(body);
}

/** RFC 9457, and RFC 9110 section 11.6.1 for who has no key. `errors` lists the events that were refused, by their place in the request. */
export function answerProblem(
  response: ServerResponse,
  problem: Problem,
  headers: Headers = {},
  errors?: readonly Refusal[],
): void {
  const retry = problem.retryAfterSeconds;
  const all: Headers = { ...headers, 'content-type': PROBLEM_TYPE };
  if (retry !== undefined) all['retry-after'] = String(retry);
  if (problem.status === 401) all['www-authenticate'] = 'Bearer realm="write-key"';
  end(
    response,
    problem.status,
    all,
    JSON.stringify({ ...problem.toJSON(), ...(errors && { refused: errors }) }),
  );
}

type Refusal = { index: number; status: number; code: string; detail: string };

export function refusalsOf({ refused }: Pick<Outcome, 'refused'>): Refusal[] {
  return refused.map(({ index, code, detail }) => ({ index, status: 422, code, detail }));
}

/**
 * 200 when everything sent was taken or, as the policy demands, dropped; 207 when some events were
 * refused for what they are. Clients of Segment take both for a success, and rightly: what was
 * refused would be refused again.
 */
export function answerOutcome(response: ServerResponse, outcome: Outcome, headers: Headers): void {
  const { kept, duplicates, untold, refused, dropped } = outcome;
  const accepted = kept + duplicates + untold;
  const all = { ...headers, 'content-type': JSON_TYPE };
  if (refused.length === 0 && dropped.size === 0) {
    end(response, 200, all, `{"success":true,"accepted":${accepted}}`);
    return;
  }
  const body = {
    success: refused.length === 0,
    accepted,
    dropped: Object.fromEntries(dropped),
    refused: refusalsOf(outcome),
  };
  end(response, refused.length === 0 ? 200 : 207, all, JSON.stringify(body));
}
