import type postgres from 'postgres';
import type { z } from 'zod';
import { systemClock } from '#base/clock';

export type JobOptions = {
  /** In the time of the process, as the queue goes by it. Default: at once. */
  readonly at?: Date;
  /** A job with the same key that has not begun is replaced, so that there is one. */
  readonly key?: string;
};

type Named<Input> = {
  readonly name: string;
  readonly attemptsMax: number;
  readonly input: z.ZodType<Input>;
};

/**
 * Puts a job into the queue, in the transaction of its cause: both happen or neither.
 *
 * @param input  ids and numbers, never what a person typed: a waiting job is a copy of it.
 * @throws ZodError when the input is not what the job declares.
 */
export async function enqueue<Input>(
  tx: postgres.TransactionSql,
  job: Named<Input>,
  input: Input,
  { at, key }: JobOptions = {},
): Promise<void> {
  const payload = JSON.stringify(job.input.parse(input));
  await tx`
    select troth_sec.enqueue(${job.name}, ${payload}::text::json, ${job.attemptsMax},
                             ${at ?? systemClock.now()}, ${key ?? null})`;
}
