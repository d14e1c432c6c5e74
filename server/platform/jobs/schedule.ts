import { type ParsedCronItem, parseCronItems } from 'graphile-worker';

type Scheduled = {
  readonly name: string;
  readonly attemptsMax: number;
  readonly every?: string;
};

const HOUR_MS = 3_600_000;

/**
 * How far back a missed run is made up for after the server was down. A job that runs several times
 * an hour needs none: its next time is near. Runs that were missed become one, as they share a key.
 */
function catchUpMs(every: string): number {
  const [minute = '', , dayOfMonth, month, dayOfWeek] = every.trim().split(/\s+/);
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
