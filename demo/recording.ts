import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Signal = 'sec-gpc' | 'dnt' | 'x-do-not-sell';

/** One call of one client, at a second of the recorded day. */
export type Recorded = {
  at: number;
  tenant: 'clanker' | 'conducktr' | 'workorders' | 'magenta' | 'loopkit';
  person: string;
  call: 'track' | 'page' | 'identify' | 'consent';
  event: string;
  properties: Record<string, unknown>;
  /** What the person's browser said for them, as a header: such a page posts without the SDK. */
  signal?: Signal;
  /** The answer was lost on its way, and the client sent the same message again. */
  twice?: true;
  /** What an old page or integration put beside the event's name and properties. */
  more?: Record<string, unknown>;
};

/** The recorded day, in order of time. */
export function recordedDay(): Recorded[] {
  return readFileSync(join(import.meta.dirname, 'day.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Recorded);
}
