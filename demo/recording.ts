import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One call of one client, at a second of the recorded day. */
export type Recorded = {
  at: number;
  tenant: 'clanker' | 'conducktr' | 'workorders' | 'magenta' | 'loopkit';
  person: string;
  call: 'track' | 'page' | 'identify' | 'consent';
  event: string;
  properties: Record<string, unknown>;
};

/** The recorded day, in order of time. */
export function recordedDay(): Recorded[] {
  return readFileSync(join(import.meta.dirname, 'day.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Recorded);
}
