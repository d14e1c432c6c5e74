import type { IncomingMessage } from 'node:http';
import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib';
import { ingestProblem } from './errors.ts';

/**
 * A body may grow this many times when it is unpacked; JSON of events grows five to thirty times.
 */
const RATIO_MAX = 200;
const UNPACKED_MIN_BYTES = 64 * 1024;
/** zstd lets the sender choose how much memory the reader reserves; 8 MiB is plenty. */
const ZSTD_WINDOW_LOG_MAX = 23;

const UNPACK = {
  gzip: (bytes: Buffer, maxOutputLength: number) => gunzipSync(bytes, { maxOutputLength }),
  'x-gzip': (bytes: Buffer, maxOutputLength: number) => gunzipSync(bytes, { maxOutputLength }),
  deflate: (bytes: Buffer, maxOutputLength: number) => inflateSync(bytes, { maxOutputLength }),
  br: (bytes: Buffer, maxOutputLength: number) => brotliDecompressSync(bytes, { maxOutputLength }),
  zstd: (bytes: Buffer, maxOutputLength: number) =>
    zstdDecompressSync(bytes, {
      maxOutputLength,
      params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
    }),
} as const;

/**
 * Undoes the content encoding.
 *
 * Output stops at the limit while it is being written, so a bomb costs at most `bytesMax` of memory
 * and a few milliseconds.
 *
 * @throws Problem ingest-encoding-not-supported, ingest-body-too-large, ingest-body-broken
 */
export function unpackBody(bytes: Buffer, encoding: string | undefined, bytesMax: number): Buffer {
  const name = encoding?.trim().toLowerCase();
  if (name === undefined || name === '' || name === 'identity') return bytes;
  if (!Object.hasOwn(UNPACK, name)) {
    throw ingestProblem('ingest-encoding-not-supported', 'use gzip, deflate, br, zstd or none');
  }
  const most = Math.min(bytesMax, Math.max(UNPACKED_MIN_BYTES, bytes.length * RATIO_MAX));
  try {
    return UNPACK[name as keyof typeof UNPACK](bytes, most);
  } catch (error) {
    if (error instanceof RangeError || isTooLarge(error)) {
      throw ingestProblem('ingest-body-too-large', 'the unpacked body is too large', { bytesMax });
    }
    throw ingestProblem('ingest-body-broken', 'the body does not fit its content-encoding');
  }
}

const isTooLarge = (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';

/** Gives the body, or the reason why there is none, once; then never again. */
export type BodyDone = (
  problem: ReturnType<typeof ingestProblem> | undefined,
  bytes: Buffer,
) => void;

const NO_BYTES = Buffer.alloc(0);

/**
 * Collects the body with callbacks; a promise per request would be the dearest part of it.
 *
 * Nothing beyond `bytesMax` is kept. The rest of an oversized body is discarded up to the same size
 * again so that the client can read the answer, then the connection is closed.
 */
export function readBody(request: IncomingMessage, bytesMax: number, done: BodyDone): void {
  const declared = Number(request.headers['content-length'] ?? 0);
  let first: Buffer | undefined;
  let chunks: Buffer[] | undefined;
  let length = 0;
  let open = true;
  const finish: BodyDone = (problem, bytes) => {
    open = false;
    done(problem, bytes);
  };
  const broken = () => {
    if (open) finish(ingestProblem('ingest-body-broken', 'the connection broke off'), NO_BYTES);
  };
  const tooLarge = () =>
    finish(ingestProblem('ingest-body-too-large', 'send less at once', { bytesMax }), NO_BYTES);
  if (declared > bytesMax) tooLarge();
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (!open) {
      if (length > bytesMax * 2) request.destroy();
      return;
    }
    if (length > bytesMax) {
      chunks = undefined;
      first = undefined;
      tooLarge();
    } else if (first === undefined) first = chunk;
    else if (chunks === undefined) chunks = [first, chunk];
    else chunks.push(chunk);
  });
  request.on('end', () => {
    if (open) finish(undefined, chunks ? Buffer.concat(chunks, length) : (first ?? NO_BYTES));
  });
  request.on('error', broken);
  request.on('close', broken);
}
