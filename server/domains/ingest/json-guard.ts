import { isAscii, isUtf8 } from 'node:buffer';
import { ingestProblem } from './errors.ts';

export type JsonLimits = { readonly depthMax: number; readonly keysMax: number };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;

/**
 * Parses JSON that a stranger sent.
 *
 * The bytes are measured before they become objects: depth and number of members are counted in one
 * pass, so that a small body cannot cost much memory or a deep one a recursion. `JSON.parse` makes
 * `__proto__` an ordinary own property; nothing behind this function copies members by name.
 *
 * @throws Problem ingest-json-broken, ingest-json-too-complex
 */
export function parseJson(bytes: Buffer, limits: JsonLimits): unknown {
  measureJson(bytes, limits);
  const text = isAscii(bytes) ? bytes.toString('latin1') : decodeUtf8(bytes);
  try {
    return JSON.parse(text);
  } catch {
    throw ingestProblem(
      'ingest-json-broken',
      'the body ends early or has a character out of place',
    );
  }
}

function decodeUtf8(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw ingestProblem('ingest-json-broken', 'the body is not UTF-8');
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function measureJson(bytes: Buffer, { depthMax, keysMax }: JsonLimits): void {
  let depth = 0;
  let members = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = endOfString(bytes, at + 1);
    } else if (byte === 0x7b || byte === 0x5b) {
      depth++;
      if (depth > depthMax) {
        throw ingestProblem('ingest-json-too-complex', 'nested too deeply', { depthMax });
      }
    } else if (byte === 0x7d || byte === 0x5d) {
      depth--;
    } else if (byte === COLON || byte === COMMA) {
      members++;
      if (members > keysMax) {
        throw ingestProblem('ingest-json-too-complex', 'too many keys and items', { keysMax });
      }
    }
  }
}

/** Strings are most of a body: the engine's own search skips them faster than a loop could. */
function endOfString(bytes: Buffer, from: number): number {
  let at = from;
  for (; at < bytes.length && at < from + 24; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at++;
  }
  for (;;) {
    const end = bytes.indexOf(QUOTE, at);
    if (end < 0) return bytes.length;
    let slashes = 0;
    while (bytes[end - 1 - slashes] === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
    at = end + 1;
  }
}
