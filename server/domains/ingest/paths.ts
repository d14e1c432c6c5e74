/** The addresses that events are sent to: our own, Segment's, and the one that LoopKit prints. */
import { KINDS, type Kind } from './wire.ts';

export type IngestPath = {
  /** Named in the path; otherwise it follows from the key. */
  readonly tenant: string | undefined;
  /** What the path says that the events are; undefined where each says it itself. */
  readonly kind: Kind | undefined;
};

const WORDS: ReadonlyMap<string, Kind | undefined> = new Map<string, Kind | undefined>([
  ...KINDS.map((kind) => [kind, kind] as const),
  ['batch', undefined],
  ['import', undefined],
  ['tracks', 'track'],
  // The short paths of Segment's browser client.
  ['t', 'track'],
  ['p', 'page'],
  ['i', 'identify'],
  ['g', 'group'],
  ['a', 'alias'],
  ['s', 'screen'],
  ['b', undefined],
]);

const OWN = /^\/v1\/t\/([a-z][a-z0-9-]{1,30})\/([a-z]{1,8})$/;
const BARE = /^\/v1\/([a-z]{1,8})$/;

const known = new Map<string, IngestPath>();
const KNOWN_MAX = 2_000;

/** The path as one of ours, or nothing: then the request is somebody else's. */
export function ingestPath(url: string): IngestPath | undefined {
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  const seen = known.get(path);
  if (seen) return seen;
  const own = OWN.exec(path);
  const word = own?.[2] ?? BARE.exec(path)?.[1];
  if (word === undefined || !WORDS.has(word)) return undefined;
  // Single calls may hold a list too: the kind of the path then counts for each of them.
  const found = { tenant: own?.[1], kind: WORDS.get(word) };
  if (known.size < KNOWN_MAX) known.set(path, found);
  return found;
}
