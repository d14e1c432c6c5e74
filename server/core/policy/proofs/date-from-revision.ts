import { shownAt } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term } from '#core/promises';
import { publishedBy } from './published.ts';

/** How often each is printed: what stands at both ends has to agree. */
const PLACES = {
  updated: { place: 'page.updated', times: 1 },
  version: { place: 'version', times: 2 },
  effective: { place: 'effective', times: 2 },
  reviewed: { place: 'reviewed', times: 1 },
} as const;

export const dateFromRevision = defineProof({
  control: 'policy.date-from-revision',
  strength: 'configuration',
  blindTo: 'When the sentence was first published elsewhere.',
  async prove(at, { shows }) {
    const published = await publishedBy(at);
    if (!published) return gap(saw`the policy is not served`);
    const { stored, html, document } = published;
    if (stored.revision !== stored.newest)
      return broken(saw`revision ${stored.revision} is in force, the newest is ${stored.newest}`);
    const name = shows as keyof typeof PLACES;
    const { place, times } = PLACES[name];
    const wanted = name === 'updated' ? stored.appliedAt.toISOString() : stored.document[name];
    if (typeof wanted !== 'string') return gap(saw`the revision in force has no such value`);
    const shown = shownAt(html, place);
    if (shown.length < times)
      return broken(saw`the page prints it ${shown.length} times, not ${times}`);
    if (!shown.every((text) => text === wanted))
      return broken(saw`the page prints another value than the revision in force has`);
    if (name !== 'updated' && document[name] !== wanted)
      return broken(saw`the interface gives another value than the revision in force has`);
    return kept(
      saw`${shown.length} of ${shown.length} places show ${term(wanted)}, as revision ${stored.revision} has it`,
    );
  },
});
