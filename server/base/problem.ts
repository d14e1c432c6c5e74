/**
 * Problems: the expected refusals, answered as RFC 9457 `application/problem+json`.
 *
 * Each has a stable code, a status, a fixed title and a `detail` for humans. `detail` must never
 * repeat what the caller sent: it reaches logs of proxies and screenshots. Anything thrown that is
 * not a Problem is a bug and is answered as `internal`.
 */
import type { Loggable } from './loggable.ts';

export type ProblemType = { readonly status: number; readonly title: string };

export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly fields: Readonly<Record<string, Loggable>>;
  /** Seconds after which a retry may succeed; sent as `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: string,
    type: ProblemType,
    detail: string,
    fields: Record<string, Loggable> = {},
  ) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.status = type.status;
    this.title = type.title;
    this.detail = detail;
    this.fields = fields;
    const retry = fields['retryAfterSeconds'];
    this.retryAfterSeconds = typeof retry === 'number' ? retry : undefined;
  }

  /** The body of the answer. @see RFC 9457 section 3. */
  toJSON() {
    const { code, status, title, detail, fields } = this;
    return { type: `/problems/${code}`, status, title, detail, code, ...fields };
  }
}

/** Declares a domain's problems; the function it returns accepts only their codes. */
export function problems<const Table extends Record<string, ProblemType>>(table: Table) {
  const make = (
    code: keyof Table & string,
    detail: string,
    fields: Record<string, Loggable> = {},
  ) => new Problem(code, table[code] as ProblemType, detail, fields);
  return Object.assign(make, { table });
}
