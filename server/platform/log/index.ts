/**
 * The log: one JSON object a line, and no way to put a person into it.
 *
 * Each kind of line is declared in `lines.ts`; its fields are numbers, booleans or branded words,
 * so an e-mail address or a message that somebody typed is a compile error. Errors are written as
 * the places they passed through, never with their message.
 */
import type { Frames, LogLines } from './lines.ts';

export type { Frames, LogLines } from './lines.ts';

export type Log = <Name extends keyof LogLines>(name: Name, fields: LogLines[Name]) => void;

/** Writes a line through `write`, stamped with the time of `now`. */
export function openLog(write: (line: string) => void, now: () => Date = () => new Date()): Log {
  return (name, fields) => {
    write(`${JSON.stringify({ at: now().toISOString(), event: name, ...fields })}\n`);
  };
}

/** For tests and short commands: nothing is written. */
export const silentLog: Log = () => undefined;

/** Where an error came from, without what it says. At most 12 frames. */
export function framesOf(error: unknown): Frames {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return frames
    .slice(0, 12)
    .map((frame) => frame.trim())
    .join(' < ') as Frames;
}
