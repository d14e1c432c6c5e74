/**
 * `npm run demo`: a recorded day of the five services, sent to the running server through the real
 * SDK and the real HTTP interface. A day takes about a minute, and then begins again.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { People, type Place } from './people.ts';
import { recordedDay } from './recording.ts';
import { Tally } from './tally.ts';

const DAY_SECONDS = 86_400;
const HELP = `npm run demo -- [--speed N] [--once] [--json]

  --speed N   how many times faster than the day itself; 1440 makes it a minute (default)
  --once      ends after one day
  --json      one JSON line for each day
`;

/** Ends the command with a sentence. */
class Stop extends Error {}

type Options = { speed: number; once: boolean; json: boolean };

function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        speed: { type: 'string', default: '1440' },
        once: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) throw new Stop(HELP);
    const speed = Number(values.speed);
    if (!(speed > 0)) throw new Stop(`--speed takes a number above 0.\n\n${HELP}`);
    return { speed, once: values.once, json: values.json };
  } catch (error) {
    if (error instanceof Stop) throw error;
    throw new Stop(`${error instanceof Error ? error.message : ''}\n\n${HELP}`);
  }
}

async function findServer(): Promise<Place> {
  const given = process.env['TROTH_DATA_DIR'];
  const dataDir = resolve(given ?? join(import.meta.dirname, '..', '.data'));
  let place: Place;
  try {
    place = JSON.parse(readFileSync(join(dataDir, 'development.json'), 'utf8')) as Place;
  } catch {
    throw new Stop(`no server was started on ${dataDir}; start it with: npm start`);
  }
  const ready = await fetch(new URL('/readyz', place.url)).catch(() => undefined);
  if (!ready) throw new Stop(`no server answers at ${place.url}; start it with: npm start`);
  await ready.body?.cancel();
  if (!ready.ok) throw new Stop(`the server at ${place.url} is not ready (${ready.status}).`);
  return place;
}

const clock = (second: number) =>
  [second / 3600, (second % 3600) / 60]
    .map((n) => String(Math.floor(n)).padStart(2, '0'))
    .join(':');

/** Sends one day. Returns what became of it, also when it was broken off. */
async function replay(place: Place, { speed, json }: Options, signal: AbortSignal): Promise<Tally> {
  const tally = new Tally();
  const people = new People(place, tally);
  const begun = performance.now();
  let second = 0;
  const say = () => {
    const { accepted, refused, dropped } = tally.total();
    const counts = `accepted ${accepted}, refused ${refused}, dropped ${dropped}`;
    if (!json) console.log(`  ${clock(second)}  ${counts}`);
  };
  const telling = setInterval(say, 5_000);
  try {
    for (const line of recordedDay()) {
      const aheadMs = (line.at / speed) * 1000 - (performance.now() - begun);
      if (aheadMs > 5) await sleep(aheadMs, undefined, { signal });
      if (signal.aborted) break;
      second = line.at;
      people.act(line);
    }
    if (!signal.aborted) second = DAY_SECONDS;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(telling);
  }
  await people.leave(10_000);
  say();
  return tally;
}

function report({ url }: Place, tally: Tally, again: boolean): string {
  return `
${tally.table()}

Look at
  ${url}/
      the five services, and how their promises stand
  ${url}/services/loopkit/data
      what is stored, for what purpose, and the oldest row against its limit
  ${url}/services/loopkit/pipeline
      what was dropped on the way in, and why
${again ? '\nThe day begins again; Ctrl-C ends it.\n' : ''}`;
}

async function main(): Promise<void> {
  const options = readOptions();
  const place = await findServer();
  const ending = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => ending.abort());
  const seconds = Math.round(DAY_SECONDS / options.speed);
  if (!options.json) console.log(`A day of five services in ${seconds} s, to ${place.url}`);
  do {
    const tally = await replay(place, options, ending.signal);
    const again = !options.once && !ending.signal.aborted;
    if (options.json) console.log(JSON.stringify(Object.fromEntries(tally.lines)));
    else console.log(report(place, tally, again));
    const lines = [...tally.lines.values()];
    if (lines.every(({ accepted }) => accepted === 0)) throw new Stop('no event was accepted.');
  } while (!options.once && !ending.signal.aborted);
}

main().catch((error: unknown) => {
  if (!(error instanceof Stop)) throw error;
  console.error(error.message.startsWith('npm run') ? error.message : `troth: ${error.message}`);
  process.exitCode = 1;
});
