import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, term } from '#core/promises';
import { applied, impossibleDraft } from './drafts.ts';
import {
  canBeChanged,
  changedSections,
  givenRevision,
  givenRevisions,
  storedRevisions,
} from './revisions.ts';

/** What every change leaves behind: who, why, what, and nothing that can be changed later. */
async function everyChange(at: Look): Promise<Seen> {
  const [given, stored] = [await givenRevisions(at), await storedRevisions(at)];
  let compared = 0;
  if (!given) return broken(saw`the revisions are not given to the public`);
  for (const [index, one] of stored.entries()) {
    const shown = given.find(({ revision }) => revision === one.revision);
    if (!shown || shown.hash !== one.hash || shown.reason !== one.reason || shown.by !== one.actor)
      return broken(saw`revision ${one.revision} is given otherwise than it is stored`);
    if (shown.reason.trim().length < 3 || shown.by === '')
      return broken(saw`revision ${one.revision} has no author or no reason`);
    const before = stored[index - 1];
    if (!before) continue;
    const changes = (await givenRevision(at, one.revision))?.changes ?? [];
    const missing = changedSections(before.document, one.document).filter(
      (section) => !changes.some((line) => line.slice(2).startsWith(section)),
    );
    if (missing.length > 0)
      return broken(saw`revision ${one.revision} does not show what it changed`);
    compared += 1;
  }
  if (await canBeChanged(at))
    return broken(saw`the database lets a revision be changed or removed`);
  if (compared === 0)
    return gap(saw`the policy has not been changed yet: there is no difference to be seen`);
  return kept(
    saw`${stored.length} of ${stored.length} revisions name author and reason, ${compared} what they changed; changing or removing one was refused`,
  );
}

/** A reason of a kind is taken when it cites something, and refused when it does not. */
async function reasonOf(at: Look, kind: string): Promise<Seen> {
  const text = impossibleDraft(at, () => undefined);
  if (text === undefined) return gap(saw`no draft could be made that is safe to send`);
  const CODE = 'policy-reason-missing';
  const [none, empty, cited] = [
    await applied(at, { text }),
    await applied(at, { text, reason: `${kind}: ` }),
    await applied(at, { text, reason: `${kind}: what the proof cites` }),
  ];
  if (none.code !== CODE || empty.code !== CODE)
    return broken(
      saw`a change without a reason was taken further: ${term(none.code)}, ${term(empty.code)}`,
    );
  if (cited.code === CODE) return broken(saw`a reason of the kind ${term(kind)} is not taken`);
  return kept(
    saw`a change was refused without a reason and with an empty one, and taken further with ${term(kind)} and what it cites`,
  );
}

export const revisionRecorded = defineProof({
  control: 'changes.revision-recorded',
  strength: 'api',
  blindTo: 'Whether what a reason cites says so.',
  async prove(at, { reason }) {
    const every = await everyChange(at);
    // A kind of reason can be given before anything was ever changed.
    if (reason === 'any' || every.state === 'broken') return every;
    const seen = await reasonOf(at, String(reason));
    if (seen.state === 'kept' && reason === 'feedback')
      return gap(
        saw`the reason is taken; this version keeps no cases of feedback that it could lead to`,
      );
    return seen;
  },
});
