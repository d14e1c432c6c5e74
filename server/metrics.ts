/** What the installation measures of itself. */
import type { Clock } from '#base/clock';
import type { Evidence, PipelineWatch, PromiseAnswers, ServicesInForce } from '#oversight/evidence';
import type { Database } from '#platform/database';
import { readHeartbeats } from '#platform/jobs';
import type { Keeper } from '#platform/keeper';
import type { Metric, Sample } from './edges/http/index.ts';

type Needs = {
  readonly db: Database;
  readonly keeper: Keeper;
  readonly clock: Clock;
  readonly services: ServicesInForce;
  readonly promises: (service: ReturnType<ServicesInForce['list']>[number]) => PromiseAnswers;
  readonly evidence: Pick<Evidence, 'lastRound'>;
  readonly pipeline: PipelineWatch;
};

const seconds = (at: Date) => at.getTime() / 1_000;

function promiseMetrics({ services, promises, evidence }: Needs): Metric[] {
  const answers = services.list().map((service) => ({ service, ...promises(service) }));
  const states: Sample[] = answers.flatMap(({ service, counts }) =>
    Object.entries(counts).map(([state, value]) => ({
      labels: { service: service.tenant, state },
      value,
    })),
  );
  const broken: Sample[] = answers.flatMap(({ service, promises: all }) =>
    all
      .filter(({ state }) => state === 'broken')
      .map(({ id }) => ({ labels: { service: service.tenant, promise: id }, value: 1 })),
  );
  const round = evidence.lastRound();
  return [
    {
      name: 'troth_promises',
      type: 'gauge',
      samples: states,
      help: 'Promises by state, as their last proofs found them.',
    },
    {
      name: 'troth_promise_broken',
      type: 'gauge',
      samples: broken,
      help: 'One for each promise that is broken.',
    },
    {
      name: 'troth_proof_round_seconds',
      type: 'gauge',
      help: 'How long the last whole round of proofs took.',
      samples: round ? [{ value: round.tookMs / 1_000 }] : [],
    },
    {
      name: 'troth_proof_round_end_timestamp_seconds',
      type: 'gauge',
      help: 'When the last whole round of proofs ended.',
      samples: round ? [{ value: seconds(round.endedAt) }] : [],
    },
  ];
}

function ingestMetrics({ services, pipeline }: Needs): Metric[] {
  const views = services.list().map(({ tenant }) => ({ tenant, view: pipeline.view(tenant) }));
  const [first] = views;
  const perService = (pick: (view: (typeof views)[number]['view']) => number) =>
    views.map(({ tenant, view }) => ({ labels: { service: tenant }, value: pick(view) }));
  return [
    {
      name: 'troth_events_received_total',
      type: 'counter',
      help: 'Events that came in since the server started.',
      samples: perService(({ received }) => received),
    },
    {
      name: 'troth_events_accepted_total',
      type: 'counter',
      help: 'Events that were acknowledged since the server started.',
      samples: perService(({ accepted }) => accepted),
    },
    {
      name: 'troth_events_dropped_total',
      type: 'counter',
      help: 'Events and fields that were left out, by reason.',
      samples: views.flatMap(({ tenant, view }) =>
        view.drops.map(({ reason, events }) => ({
          labels: { service: tenant, reason },
          value: events,
        })),
      ),
    },
    {
      name: 'troth_events_verification_total',
      type: 'counter',
      help: 'Events that proofs sent, which no other figure of events counts.',
      samples: perService(({ verification }) => verification),
    },
    {
      name: 'troth_inbox_rows',
      type: 'gauge',
      help: 'Groups of events that are durable and not yet queryable.',
      samples: first ? [{ value: first.view.inbox.rows }] : [],
    },
  ];
}

async function standingMetrics({ db, keeper, clock }: Needs): Promise<Metric[]> {
  const [jobs, keys] = await Promise.all([
    readHeartbeats(db.sql),
    keeper.call('status', { at: clock.now().getTime() }),
  ]);
  return [
    {
      name: 'troth_job_done_timestamp_seconds',
      type: 'gauge',
      help: 'When each standing job last did what it is there for.',
      samples: jobs.flatMap(({ job, lastDone }) =>
        lastDone ? [{ labels: { job }, value: seconds(lastDone) }] : [],
      ),
    },
    {
      name: 'troth_key_epoch_age_seconds',
      type: 'gauge',
      help: 'Age of the root key’s epoch.',
      samples: [{ value: (clock.now().getTime() - keys.epochAt) / 1_000 }],
    },
    {
      name: 'troth_keyring_copies',
      type: 'gauge',
      samples: [{ value: keys.copies }],
      help: 'Synchronous copies of the keyring; with one, losing a disk loses the data.',
    },
    {
      name: 'process_resident_memory_bytes',
      type: 'gauge',
      help: 'Memory of the server’s own process.',
      samples: [{ value: process.memoryUsage.rss() }],
    },
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'Time on a core that the server’s own process has had.',
      samples: [{ value: process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6 }],
    },
  ];
}

/** Everything that is measured, read now. */
export const metricsOf = (needs: Needs) => async (): Promise<Metric[]> => [
  ...promiseMetrics(needs),
  ...ingestMetrics(needs),
  ...(await standingMetrics(needs)),
];
