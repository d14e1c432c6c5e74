/** What ingest counted, in the shape in which the page shows it: step by step, reason by reason. */
import type { DropReason, FieldReason, Ingest } from '#domains/ingest';
import type { PipelineCounters } from '#oversight/evidence';

const REASONS: Readonly<Record<DropReason | FieldReason, { step: string | null; says: string }>> = {
  'over-rate': { step: 'checkRate', says: 'The key sent more than its limit' },
  'wrong-schema': { step: 'checkSchema', says: 'The event was not of the shape it must have' },
  'undeclared-event': { step: 'checkSchema', says: 'The policy declares no such event' },
  duplicate: { step: 'dedupe', says: 'The same message was stored already' },
  'under-age': { step: 'checkAge', says: 'The person is below the policy’s age' },
  'signal-gpc': { step: 'checkSignals', says: 'The browser sent Global Privacy Control' },
  'signal-dnt': { step: 'checkSignals', says: 'The browser sent Do Not Track' },
  'signal-do-not-sell': { step: 'checkSignals', says: 'The person said Do Not Sell' },
  'no-consent': { step: 'checkConsent', says: 'Its purpose needs a consent that is not there' },
  'scope-limited': { step: 'checkConsent', says: 'The person chose to give as little as possible' },
  'identify-refused': { step: 'checkSchema', says: 'The service does not identify people' },
  'identify-personal-data': { step: 'checkSchema', says: 'Personal data in a pseudonymous mode' },
  'identify-no-consent': { step: 'checkConsent', says: 'No consent to be identified' },
  'link-refused': { step: 'pseudonymise', says: 'A browser’s key may not tie these two ids' },
  'person-erased': { step: 'pseudonymise', says: 'The person was erased; this came late' },
  'not-retained': { step: 'store', says: 'The service chose to keep none of this data' },
  'undeclared-field': { step: null, says: 'Fields cut: the policy does not declare them' },
  'over-limit': { step: null, says: 'Fields cut: longer than the policy allows' },
  'no-consent-field': { step: null, says: 'Fields cut: their purpose lacks consent' },
  'trait-not-allowed': { step: null, says: 'Traits cut: not allowed in this mode' },
  'no-key-to-seal': { step: null, says: 'Fields cut: no key to seal them under' },
  'name-withheld': { step: null, says: 'Names of events withheld: they held personal content' },
  'personal-content': { step: null, says: 'Fields with personal content cut out' },
};

type Known = keyof typeof REASONS;

/** The counters for the page. Drops of fields belong to no step: the event itself went on. */
export function pipelineCounters(ingest: Ingest): PipelineCounters {
  return {
    reasons: Object.fromEntries(Object.entries(REASONS).map(([name, { says }]) => [name, says])),
    snapshot(tenant) {
      const { counted, countedApart, steps, backlog, lagMs, stuck } = ingest.snapshot(tenant);
      const totals = new Map<string, number>();
      for (const { reason, count } of counted)
        totals.set(reason, (totals.get(reason) ?? 0) + count);
      const accepted = totals.get('kept') ?? 0;
      totals.delete('kept');
      const drops = [...totals].map(([reason, events]) => ({
        reason,
        step: REASONS[reason as Known]?.step ?? null,
        events,
      }));
      const lost = (step: string) =>
        drops.reduce((sum, drop) => sum + (drop.step === step ? drop.events : 0), 0);
      const received =
        accepted + drops.reduce((sum, { step, events }) => sum + (step ? events : 0), 0);
      let left = received;
      const walked = steps.map(({ step, milliseconds }) => {
        const before = left;
        left -= lost(step);
        return { name: step, in: before, out: left, nanoseconds: milliseconds * 1e6 };
      });
      const waiting = backlog.rows > 0;
      const inbox = {
        rows: backlog.rows,
        lagMs: waiting ? Math.max(lagMs, backlog.oldestMs) : null,
        stuck: stuck.map(({ engineCode, rows, since }) => ({ engineCode, rows, since })),
      };
      const verification = countedApart.reduce(
        (sum, { reason, count }) => (REASONS[reason as Known]?.step === null ? sum : sum + count),
        0,
      );
      return { received, accepted, verification, steps: walked, drops, inbox };
    },
  };
}
