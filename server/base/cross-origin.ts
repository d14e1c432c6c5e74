/**
 * What lets a page of another origin read an answer. Never with credentials: a write key speaks for
 * the page, and no cookie is read where one is asked for.
 *
 * @see Fetch Standard, section 3.3 (HTTP CORS protocol).
 */

/** `retry-after` is not among the headers that a script may read unless it is named. */
const EXPOSED = 'retry-after, x-request-id';

export const crossOriginHeaders = (origin: string): Record<string, string> => ({
  'access-control-allow-origin': origin,
  'access-control-expose-headers': EXPOSED,
});

/** The answer to the question that a browser asks before it sends a write key along. */
export const preflightHeaders = (origin: string, methods: string): Record<string, string> => ({
  'access-control-allow-origin': origin,
  'access-control-allow-methods': methods,
  'access-control-allow-headers': 'authorization, content-type, content-encoding',
  'access-control-max-age': '600',
});
