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

/**
 * Bytes of bodies that are in memory, over all connections: what many senders can hold together is
 * bounded, and not only what one can.
 */
export class InFlight {
  readonly #bytesMax: number;
  bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get isFull(): boolean {
    return this.bytes >= this.#bytesMax;
  }

  /** Takes room for what has arrived; false when there is none. */
  take(bytes: number): boolean {
    if (this.bytes + bytes > this.#bytesMax) return false;
    this.bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.bytes -= bytes;
  }
}

export type BodyRoom = {
  readonly bytesMax: number;
  /** Why a body may be no larger than that. */
  readonly because: string;
  /** Asked for each piece before it is kept; false when there is no room for it. */
  take(bytes: number): boolean;
};

/** Gives the body, or the reason why there is none, once; then never again. */
export type BodyDone = (
  problem: ReturnType<typeof ingestProblem> | undefined,
  bytes: Buffer,
) => void;

const NO_BYTES = Buffer.alloc(0);

/**
 * Collects the body with callbacks; a promise per request would be the dearest part of it.
 *
 * Nothing beyond the room is kept. The rest of an oversized body is discarded up to the same size
 * again so that the client can read the answer, then the connection is closed.
 */
export function readBody(request: IncomingMessage, room: BodyRoom, done: BodyDone): void {
  const { bytesMax, because } = room;
  const declared = Number(request.headers['content-length'] ?? 0);
  let pieces: Buffer[] = [];
  let length = 0;
  let open = true;
  const finish: BodyDone = (problem, bytes) => {
    open = false;
    pieces = [];
    done(problem, bytes);
  };
  const fail = (code: 'ingest-body-broken' | 'ingest-body-too-large' | 'ingest-busy') => {
    if (!open) return;
    const problem =
      code === 'ingest-body-broken'
        ? ingestProblem(code, 'the connection broke off')
        : code === 'ingest-busy'
          ? ingestProblem(code, 'try again shortly', { retryAfterSeconds: 2 })
          : ingestProblem(code, because, { bytesMax });
    finish(problem, NO_BYTES);
  };
  if (declared > bytesMax) fail('ingest-body-too-large');
  request.on('data', (piece: Buffer) => {
    length += piece.length;
    if (!open) {
      if (length > bytesMax * 2) request.destroy();
    } else if (length > bytesMax) fail('ingest-body-too-large');
    else if (room.take(piece.length)) pieces.push(piece);
    else fail('ingest-busy');
  });
  request.on('end', () => {
    if (!open) return;
    const [first = NO_BYTES] = pieces;
    finish(undefined, pieces.length > 1 ? Buffer.concat(pieces, length) : first);
  });
  const broken = () => fail('ingest-body-broken');
  request.on('error', broken);
  request.on('close', broken);
}
