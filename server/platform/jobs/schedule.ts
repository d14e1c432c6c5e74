import { type ParsedCronItem, parseCronItems } from 'graphile-worker';

type Scheduled = {
  readonly name: string;
  readonly attemptsMax: number;
  readonly every?: string;
};

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * How far back a missed run is made up for after the server was down. A job that comes round every
 * few minutes makes up for its last time alone: so its record is never older than that while a
 * server is up. Runs that were missed become one, as they share a key.
 */
function catchUpMs(every: string): number {
  const [minute = '', , dayOfMonth, month, dayOfWeek] = every.trim().split(/\s+/);
  const [, minutes] = /^\*\/(\d+)$/.exec(minute) ?? [];
  if (minutes !== undefined) return Number(minutes) * MINUTE_MS;
  if (!/^\d+$/.test(minute)) return 0;
  const daily = dayOfMonth === '*' && month === '*' && dayOfWeek === '*';
  return (daily ? 26 : 8 * 24) * HOUR_MS;
}

/**
 * The jobs that start by themselves. Each has a key and a queue of its own name: one that has not
 * begun is not doubled, and it never overlaps with itself, on any number of servers.
 *
 * @throws Error for a line that is no cron line.
 */
export function scheduleOf(jobs: readonly Scheduled[]): ParsedCronItem[] {
  return parseCronItems(
    jobs.flatMap(({ name, every, attemptsMax }) =>
      every === undefined
        ? []
        : [
            {
              task: name,
              match: every,
              options: {
                maxAttempts: attemptsMax,
                jobKey: name,
                queueName: name,
                backfillPeriod: catchUpMs(every),
              },
            },
          ],
    ),
  );
}
