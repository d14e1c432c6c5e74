/** One HTTP call, and what its answer means. */
import type { FetchLike, RequestLike } from './model.ts';

export type Outcome = {
  /** `retry` only where a second try can help; a messageId makes it harmless. */
  result: 'accepted' | 'refused' | 'retry';
  /** HTTP status; 0 when the server could not be reached in time. */
  status: number;
  body: unknown;
  /** What Retry-After asks for, in milliseconds; 0 without it. */
  retryAfterMs: number;
};

/** No cookie, no referrer, no cache, and no detour to another origin. */
export const PLAIN = {
  credentials: 'omit',
  redirect: 'error',
  referrerPolicy: 'no-referrer',
  cache: 'no-store',
} as const;

type Call = { url: string; method: string; body?: string; keepalive?: boolean };
type Way = { fetch: FetchLike; writeKey: string; timeoutMs: number; now: () => number };

export async function call({ url, method, body, keepalive }: Call, way: Way): Promise<Outcome> {
  const request: RequestLike = {
    ...PLAIN,
    method,
    headers: { authorization: `Bearer ${way.writeKey}` },
    signal: AbortSignal.timeout(way.timeoutMs),
  };
  if (body !== undefined) {
    request.headers['content-type'] = 'application/json';
    request.body = body;
  }
  if (keepalive) request.keepalive = true;
  try {
    const response = await way.fetch(url, request);
    const { status } = response;
    const text = await response.text().catch(() => '');
    return {
      result: resultOf(status),
      status,
      body: parsed(text),
      retryAfterMs: waitOf(response.headers.get('retry-after'), way.now()),
    };
  } catch {
    return { result: 'retry', status: 0, body: undefined, retryAfterMs: 0 };
  }
}

function resultOf(status: number): Outcome['result'] {
  if (status < 300) return 'accepted';
  return status >= 500 || status === 408 || status === 429 ? 'retry' : 'refused';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Retry-After is a number of seconds or a date (RFC 9110, 10.2.3). */
function waitOf(text: string | null, now: number): number {
  if (!text) return 0;
  const seconds = Number(text);
  const ms = Number.isNaN(seconds) ? Date.parse(text) - now : seconds * 1000;
  // A date that cannot be read asks for nothing.
  return Math.max(0, ms || 0);
}
