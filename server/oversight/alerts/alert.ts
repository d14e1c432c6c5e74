import { createHash } from 'node:crypto';
import type postgres from 'postgres';
import { z } from 'zod';
import { defineJob, type Job } from '#core/domain';
import { enqueue } from '#platform/jobs';

const PromiseAlert = z.strictObject({
  kind: z.enum(['promise.broken', 'promise.restored']),
  tenant: z.string(),
  /** One finding may stand for several promises. */
  promises: z.array(z.string()).min(1),
  control: z.string(),
  saw: z.string(),
  /** ISO 8601. */
  at: z.string(),
});

const DemandAlert = z.strictObject({
  kind: z.literal('demand.late'),
  tenant: z.string(),
  /** How many have come near the end of their time since the last alert. */
  demands: z.int().positive(),
  /** When the first of them is due, ISO 8601. */
  dueAt: z.string(),
  /** ISO 8601. */
  at: z.string(),
});

const AlertShape = z.discriminatedUnion('kind', [PromiseAlert, DemandAlert]);

export type Alert = z.infer<typeof AlertShape>;

/** A way to reach the operator. It is called again with the same id until it resolves. */
export type Channel = {
  readonly name: 'mail' | 'webhook';
  send(alert: Alert, id: string): Promise<void>;
};

const JOB = 'alerts.tell-operator';
/** The queue waits longer each time: the last attempt is some days after the first. */
const ATTEMPTS_MAX = 20;
/** A proof does not listen for days. */
const ATTEMPTS_MAX_OF_PROOFS = 3;

/** The same finding has the same id, whichever attempt and process it is sent by. */
const idOf = (alert: Alert) =>
  `msg_${createHash('sha256').update(JSON.stringify(alert)).digest('hex').slice(0, 32)}`;

const Input = z.strictObject({
  channel: z.enum(['mail', 'webhook']),
  alert: AlertShape,
  /** Where on this machine a proof listens, which is told in the operator's stead. */
  listens: z.int().min(1_024).max(65_535).optional(),
});

/**
 * The job that tells; twice is harmless, as receivers know an alert by its id.
 *
 * @param toProof  the way to a proof that listens on this port of the machine.
 */
export const alertJob = (channels: readonly Channel[], toProof: (port: number) => Channel): Job =>
  defineJob({
    name: JOB,
    // GDPR, Article 33: who answers for the service has to hear of it.
    use: 'essential.legal_obligation',
    input: Input,
    attemptsMax: ATTEMPTS_MAX,
    timeoutSeconds: 60,
    async run({ channel, alert, listens }) {
      // A channel that is not configured any more has nobody to tell.
      const way = channels.find(({ name }) => name === channel);
      await (way && listens ? toProof(listens) : way)?.send(alert, idOf(alert));
    },
  }) as Job;

/**
 * Puts an alert into the queue, once for each channel, in the transaction of its cause.
 *
 * @param listens  of a proof: it is told what the operator would be, and the operator is not.
 */
export async function tellOperator(
  tx: postgres.TransactionSql,
  channels: readonly Channel[],
  alert: Alert,
  listens?: number,
): Promise<void> {
  const attemptsMax = listens === undefined ? ATTEMPTS_MAX : ATTEMPTS_MAX_OF_PROOFS;
  const job = { name: JOB, attemptsMax, input: Input };
  for (const { name } of channels) await enqueue(tx, job, { channel: name, alert, listens });
}
