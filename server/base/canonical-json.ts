/**
 * Serialises a JSON value so that equal values give equal bytes.
 *
 * @see RFC 8785 (JSON Canonicalization Scheme). Keys are ordered by UTF-16 code units; numbers are
 *      printed as ECMAScript prints them, which is what the RFC prescribes.
 * @throws TypeError for a value that JSON cannot carry (NaN, Infinity, undefined, a function).
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value.toWellFormed());
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('JSON has no such number');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object') {
    const pairs = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${pairs.join(',')}}`;
  }
  throw new TypeError(`JSON has no ${typeof value}`);
}
