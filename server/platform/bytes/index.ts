/**
 * Bytes: a search of what really lies on the disk, whatever an engine says of it.
 *
 * Every file under the named roots is read, in pieces, for many patterns at once. A file that
 * vanishes while it is read is no error: what is gone holds nothing. What could not be read is
 * counted and named, so that nobody takes a file that was skipped for one that was searched.
 */
export { type Match, type Matcher, matcherOf, PATTERN_BYTES_MIN } from './matcher.ts';
export {
  type ByteScan,
  type Hit,
  openByteScan,
  type Roots,
  type ScanOptions,
  type StoreScan,
} from './scan.ts';
