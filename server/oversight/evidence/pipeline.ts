import type { Clock } from '#base/clock';

/** What ingest has counted for one service since it started; numbers only ever grow. */
export type PipelineSnapshot = {
  received: number;
  accepted: number;
  /** Events that came from proofs: in none of the other figures, but in the inbox. */
  verification: number;
  /** In the order in which an event walks them. */
  steps: readonly { name: string; in: number; out: number; nanoseconds: number }[];
  drops: readonly { reason: string; step: string | null; events: number }[];
  /** Batches acknowledged and not yet queryable, and for how long the oldest has waited. */
  inbox: InboxView;
};

export type InboxView = {
  rows: number;
  lagMs: number | null;
  /** Acknowledged, kept, and refused by the event store: an operator has to look. */
  stuck: readonly { engineCode: number; rows: number; since: Date }[];
};

/** The counters of ingest: read from memory, so that asking every second costs nothing. */
export type PipelineCounters = {
  snapshot(tenant: string): PipelineSnapshot;
  /** One sentence for each reason of the closed union. */
  readonly reasons: Readonly<Record<string, string>>;
};

export type PipelineView = {
  at: string;
  since: string;
  received: number;
  accepted: number;
  verification: number;
  steps: { name: string; in: number; out: number; microseconds: number | null }[];
  drops: { reason: string; step: string | null; events: number; says: string }[];
  inbox: InboxView;
  /** The last two minutes, one sample a second, oldest first. */
  perSecond: { accepted: number; dropped: number }[];
};

export type PipelineWatch = {
  view(tenant: string): PipelineView;
  /** Called once a second while it is subscribed to; returns how to stop. */
  subscribe(listener: () => void): () => void;
  close(): void;
};

const SAMPLES_MAX = 120;
const SECOND_MS = 1_000;

type Sample = { accepted: number; dropped: number };
type Track = { last: Sample; samples: Sample[] };

/** Whole events only: a reason without a step is about a field, and its event was kept. */
export const droppedOf = ({ drops }: Pick<PipelineSnapshot, 'drops'>) =>
  drops.reduce((sum, { step, events }) => (step === null ? sum : sum + events), 0);

/**
 * Watches the counters, one sample a second, so that a page shows two minutes of flow at once.
 *
 * @param options.tick  Replaces the one-second timer in tests.
 */
export function openPipelineWatch(options: {
  counters: PipelineCounters;
  tenants: () => readonly string[];
  clock: Clock;
  tick?: (sample: () => void) => () => void;
}): PipelineWatch {
  const { counters, tenants, clock } = options;
  const since = clock.now().toISOString();
  const tracks = new Map<string, Track>();
  const listeners = new Set<() => void>();

  function sample(): void {
    for (const tenant of tenants()) {
      const snapshot = counters.snapshot(tenant);
      const now = { accepted: snapshot.accepted, dropped: droppedOf(snapshot) };
      const track = tracks.get(tenant) ?? { last: now, samples: [] };
      track.samples.push({
        accepted: now.accepted - track.last.accepted,
        dropped: now.dropped - track.last.dropped,
      });
      if (track.samples.length > SAMPLES_MAX) track.samples.shift();
      tracks.set(tenant, { last: now, samples: track.samples });
    }
    for (const listener of listeners) listener();
  }

  function view(tenant: string): PipelineView {
    const { received, accepted, verification, steps, drops, inbox } = counters.snapshot(tenant);
    return {
      at: clock.now().toISOString(),
      since,
      received,
      accepted,
      verification,
      steps: steps.map(({ name, in: into, out, nanoseconds }) => ({
        name,
        in: into,
        out,
        microseconds: into > 0 ? Math.round(nanoseconds / into / 10) / 100 : null,
      })),
      drops: drops.map(({ reason, step, events }) => ({
        reason,
        step,
        events,
        says: counters.reasons[reason] ?? '',
      })),
      inbox: { ...inbox },
      perSecond: [...(tracks.get(tenant)?.samples ?? [])],
    };
  }

  const stop = (options.tick ?? everySecond)(sample);
  return {
    view,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      stop();
      listeners.clear();
    },
  };
}

function everySecond(sample: () => void): () => void {
  const timer = setInterval(sample, SECOND_MS);
  timer.unref();
  return () => clearInterval(timer);
}
