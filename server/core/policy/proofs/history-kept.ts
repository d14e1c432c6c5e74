import { broken, defineProof, kept, saw } from '#core/promises';
import { givenRevision, givenRevisions, hashOf, storedRevisions } from './revisions.ts';

export const historyKept = defineProof({
  control: 'changes.history-kept',
  strength: 'api',
  blindTo: 'Versions that were published before the first revision here.',
  async prove(at) {
    const given = await givenRevisions(at);
    if (!given) return broken(saw`the history is not given to the public`);
    const stored = await storedRevisions(at);
    const numbers = given.map(({ revision }) => revision).sort((a, b) => a - b);
    const missing = stored.filter(({ revision }, index) => revision !== index + 1);
    if (missing.length > 0 || numbers.join() !== stored.map((one) => one.revision).join())
      return broken(saw`${given.length} revisions are given, and their numbers have gaps`);
    for (const { revision, hash } of stored) {
      const one = await givenRevision(at, revision);
      if (!one) return broken(saw`revision ${revision} cannot be read`);
      if (one.hash !== hash || hashOf(one.policy) !== hash)
        return broken(saw`revision ${revision} does not hash to what it was applied as`);
    }
    const dated = given.every(({ appliedAt }) => Number.isFinite(Date.parse(appliedAt)));
    if (!dated) return broken(saw`a revision has no date`);
    return kept(
      saw`${stored.length} of ${stored.length} revisions can be read, each under its own hash, from 1 on without a gap`,
    );
  },
});
