/**
 * The forget journal: what must stay forgotten after a restore of everything else.
 *
 * One line for each erasure, hold, withdrawal and key destruction, fsynced before the answer, in a
 * file outside every restore set. Ids and digests only. A line begins with a checksum of its text:
 * a last line that a power cut tore was never acknowledged and is left out; a damaged line before
 * the last is an error, because a restore must never proceed past a forgotten person.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { canonicalJson } from '#base/canonical-json';
import type { PurposeId, SubjectId, TenantId } from '#base/ids';
import { Problem } from '#base/problem';
import { auditProblem } from './errors.ts';

export type ForgottenKind =
  | 'consent.withdrawn'
  | 'hold.lifted'
  | 'hold.placed'
  | 'key.destroyed'
  | 'service.removed'
  | 'subject.erased'
  | 'subject.hidden'
  | 'subject.released';

export type Forgotten = {
  readonly kind: ForgottenKind;
  readonly tenant: TenantId;
  readonly at: Date;
  readonly subject?: SubjectId;
  readonly purpose?: PurposeId;
  /** Of a hold: a word. */
  readonly ground?: string;
  /** Of a hold: when it ends, ISO 8601. */
  readonly until?: string;
  /** SHA-256 in hexadecimal digits: of a key id, a certificate, a request. */
  readonly digest?: string;
};

export type Journal = {
  /**
   * Resolves when every one of them is on the disk.
   *
   * @throws Problem journal-not-durable: nothing may be answered as done.
   */
  append(entries: readonly Forgotten[]): Promise<void>;
  close(): Promise<void>;
};

const CHECKSUM_DIGITS = 16;
const IDS: Readonly<Record<string, RegExp>> = {
  tenant: /^[a-z][a-z0-9-]{1,30}$/,
  subject: /^[0-9a-f]{32}$/,
  purpose: /^[a-z][a-z0-9-]{1,40}$/,
  ground: /^[a-z][a-z-]{1,40}$/,
  until: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/,
  digest: /^[0-9a-f]{64}$/,
};

const checksumOf = (text: string) =>
  createHash('sha256').update(text).digest('hex').slice(0, CHECKSUM_DIGITS);

function lineOf({ at, ...rest }: Forgotten): string {
  for (const [name, value] of Object.entries(rest)) {
    const shape = IDS[name];
    if (shape && !shape.test(String(value))) throw new TypeError(`${name} is not an id`);
  }
  const text = canonicalJson({ at: at.toISOString(), ...rest });
  return `${checksumOf(text)} ${text}\n`;
}

function parseLine(line: string): Forgotten | undefined {
  const text = line.slice(CHECKSUM_DIGITS + 1);
  if (line.slice(0, CHECKSUM_DIGITS) !== checksumOf(text)) return undefined;
  const { at, ...rest } = JSON.parse(text) as { at: string } & Omit<Forgotten, 'at'>;
  return { ...rest, at: new Date(at) };
}

async function readWhole(file: string): Promise<Buffer> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!handle) return Buffer.alloc(0);
  try {
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** @returns the entries, and how many bytes of the file are whole lines. */
function parseJournal(bytes: Buffer): { entries: Forgotten[]; wholeBytes: number } {
  const entries: Forgotten[] = [];
  let wholeBytes = 0;
  while (wholeBytes < bytes.length) {
    const end = bytes.indexOf(0x0a, wholeBytes);
    const line = end < 0 ? undefined : bytes.toString('utf8', wholeBytes, end);
    const entry = line === undefined ? undefined : parseLine(line);
    if (!entry) {
      // A cut may also leave a block of zeroes behind the tear; nothing readable may follow it.
      if (end >= 0 && bytes.subarray(end + 1).some((byte) => byte !== 0)) {
        throw new Error(`the forget journal is damaged at byte ${wholeBytes}`);
      }
      break;
    }
    entries.push(entry);
    wholeBytes = end + 1;
  }
  return { entries, wholeBytes };
}

/**
 * Reads the journal for a replay. A file that is not there holds nothing.
 *
 * @throws Error when a line before the last is damaged. Restore nothing then.
 */
export async function readJournal(file: string): Promise<Forgotten[]> {
  return parseJournal(await readWhole(file)).entries;
}

async function syncDirectory(file: string): Promise<void> {
  const directory = await open(dirname(file), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Somebody has to start the server again. */
const AFTER_START = { retryAfterSeconds: 60 };

const isFull = (error: unknown) =>
  error instanceof Error && 'code' in error && /^(ENOSPC|EDQUOT)$/.test(String(error.code));

type Waiting = { text: string; done: () => void; failed: (reason: unknown) => void };

/** Writes what waits, together, with one sync; the next group gathers meanwhile. */
function groupCommit(handle: FileHandle, wholeBytes: number) {
  let waiting: Waiting[] = [];
  let working: Promise<void> | undefined;
  let broken = false;
  let size = wholeBytes;

  /** What the disk has no room for is cut off again, whole: with room, the next group goes on. */
  async function write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    try {
      await handle.appendFile(bytes);
    } catch (error) {
      if (!isFull(error)) throw error;
      await handle.truncate(size);
      throw auditProblem('journal-not-durable', 'its disk is full', { retryAfterSeconds: 10 });
    }
    await handle.datasync();
    size += bytes.length;
  }

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        if (broken) throw new Error('an earlier write failed');
        await write(group.map(({ text }) => text).join(''));
        for (const { done } of group) done();
      } catch (error) {
        // After a failed sync nobody knows what is on the disk; only a new start may look again.
        broken ||= !(error instanceof Problem);
        const problem = broken
          ? auditProblem('journal-not-durable', 'the journal could not be synced', AFTER_START)
          : error;
        for (const { failed } of group) failed(problem);
      }
    }
    working = undefined;
  }

  return {
    add: (text: string) =>
      new Promise<void>((done, failed) => {
        waiting.push({ text, done, failed });
        working ??= drain();
      }),
    settled: () => working ?? Promise.resolve(),
  };
}

/**
 * Opens the journal for one writer (the data directory's lock sees to that) and cuts off a torn
 * last line, so that the next one does not begin in the middle of it.
 *
 * @throws Error when a line before the last is damaged.
 */
export async function openJournal(file: string): Promise<Journal> {
  const { wholeBytes } = parseJournal(await readWhole(file));
  const handle = await open(file, 'a', 0o600);
  await handle.truncate(wholeBytes);
  await handle.sync();
  await syncDirectory(file);
  const group = groupCommit(handle, wholeBytes);
  return {
    append: async (entries) => {
      if (entries.length > 0) await group.add(entries.map(lineOf).join(''));
    },
    close: async () => {
      await group.settled();
      await handle.close();
    },
  };
}
