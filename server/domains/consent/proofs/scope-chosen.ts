import { type Look, type StoredRow, valueAt } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term } from '#core/promises';
import { freeTypes, gatedBy, openPurposes } from './gates.ts';
import { arrived, BROWSER, send } from './people.ts';

const FOUND_OUT = ['country', 'device', 'os', 'browser', 'session'] as const;

/** What the server found out by itself about the sender of a row. */
const foundOut = (row: StoredRow | undefined): string[] =>
  FOUND_OUT.filter((name) => row && !['', '0'].includes(String(row[name])));

/** Sends the same twice: in full, and in the scope that the person chose. */
async function both(look: Look, type: string, context: object) {
  const person = await look.canaries.agreeing();
  const full = await send(look, { type, person, headers: BROWSER });
  const least = await send(look, { type, person, headers: BROWSER, context });
  return [full, least].map((message) => ({ type, message }));
}

export const scopeChosen = defineProof({
  control: 'consent.scope-chosen',
  strength: 'stored-bytes',
  blindTo: 'Whether a page offers the choice; the client remembers it and says it with each event.',
  async prove(at, { setting }) {
    const path = String(setting);
    const scope = valueAt(at.policy, path);
    if (path !== 'statements.preferences.data-collection' || typeof scope !== 'string') {
      return gap(saw`${term(path)} names no scope of collection`);
    }
    const free = freeTypes(at).find((type) => at.policy.data[type]?.key === 'subject');
    const [optional] = openPurposes(at).flatMap((purpose) => gatedBy(at, purpose));
    if (free === undefined || optional === undefined) return gap(saw`there is nothing to reduce`);
    const sent = [...(await both(at, free, { scope })), ...(await both(at, optional, { scope }))];
    const stored = await arrived(at, sent);
    const [full, least] = await Promise.all(
      sent.slice(0, 2).map(({ message }) => at.canaries.stored(free, message, 0)),
    );
    const [before, after] = [foundOut(full?.[0]), foundOut(least?.[0])];
    if (after.length > 0) return broken(saw`${after.length} things were found out all the same`);
    if (stored[3]) return broken(saw`an event of an optional purpose was stored all the same`);
    if (!least?.[0] || before.length === 0 || !stored[2]) {
      return gap(saw`without the choice nothing more was stored either`);
    }
    return kept(
      saw`the same two events, in full and in scope ${term(scope)}: ${before.length} things found out about the sender and then none; the optional event stored and then dropped`,
    );
  },
});
