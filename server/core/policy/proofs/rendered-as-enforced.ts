import { createHash } from 'node:crypto';
import { canonicalJson } from '#base/canonical-json';
import { type Look, readBack, secondsInWords, shownAt } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term } from '#core/promises';
import { publishedBy } from './published.ts';

const hashOf = (document: unknown) =>
  createHash('sha256')
    .update(canonicalJson(document as never))
    .digest('hex');

/** Seconds that a fresh row of the type is given to live, and those that the page prints for it. */
async function lives(at: Look, dataType: string, html: string) {
  const person = await at.canaries.agreeing();
  const row = await readBack(at, dataType, at.canaries.event(dataType, person));
  if (!row) return undefined;
  const [shown = ''] = shownAt(html, `page.retain.${dataType}`);
  const [words = ''] = shown.split('; ').slice(0, 1);
  const printed = secondsInWords(words.replace(/^.* active, (.*) in all$/, '$1'));
  const expires = Date.parse(String(row['expires']).replace(' ', 'T').replace(/Z?$/, 'Z'));
  return { given: (expires - Date.parse(row.received_at)) / 1_000, printed };
}

/** The first type whose limit is a length of time. */
const limitedType = ({ canaries, policy }: Look) =>
  canaries.eventTypes.find((id) => policy.compiled.data[id]?.retain.milliseconds !== null);

export const renderedAsEnforced = defineProof({
  control: 'policy.rendered-as-enforced',
  strength: 'api',
  blindTo: 'Copies of the page that somebody keeps elsewhere.',
  async prove(at) {
    const published = await publishedBy(at);
    if (!published) return gap(saw`the policy is not served`);
    const { html, hash, document, stored } = published;
    const [printed] = shownAt(html, 'page.hash');
    const hashes = [printed, hash, hashOf(document), stored.hash, hashOf(stored.document)];
    if (new Set(hashes).size !== 1)
      return broken(saw`page, interface and rules in force are not one document`);
    const [row] = await at.sql<{ done: number; open: number }[]>`
      select count(done_at)::int as done, count(*) filter (where done_at is null)::int as open
      from troth.policy_statements
      where tenant = ${at.tenant} and revision = ${stored.revision}`;
    if (!row || row.open > 0)
      return broken(saw`${row?.open ?? 0} rules of it were not carried out`);
    const dataType = limitedType(at);
    if (dataType === undefined) return gap(saw`no event has a limit that could be compared`);
    const life = await lives(at, dataType, html);
    if (!life) return gap(saw`the canary in ${term(dataType)} could not be read back`);
    if (life.printed === undefined || Math.abs(life.given - life.printed) > 1)
      return broken(
        saw`a row of ${term(dataType)} lives ${life.given} s, and the page prints another limit`,
      );
    return kept(
      saw`page, interface and database have the same hash; ${row.done} rules of it were carried out; a fresh row of ${term(dataType)} lives as long as the page prints`,
    );
  },
});
