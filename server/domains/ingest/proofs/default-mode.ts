import type { Fields, Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term } from '#core/promises';
import { refusalOf, typesOfPeople } from './mode-refuses.ts';
import { held, NOBODY, sendAll } from './sent.ts';

const STRICTEST = 'anonymous';

/** Words that are no mode, as a slip of the hand leaves them: each must end its event. */
const NO_MODES = ['anonymos', 'ANONYMOUS', 5, {}] as const;

/** How many events that ask for a mode that does not exist were not refused for it. */
async function strayModes({ canaries }: Look, type: string, userId: string): Promise<number> {
  const stray = NO_MODES.map((mode) => ({
    ...canaries.event(type, canaries.person()),
    userId,
    context: { mode },
  }));
  const { json } = await canaries.send(stray);
  return stray.filter((_, at) => refusalOf((json ?? {}) as Fields, at) !== 'wrong-schema').length;
}

/** A page that sets nothing: what it says about a person has to stay in the page. */
async function pageNames(look: Look, userId: string): Promise<boolean> {
  const page = await look.page({ file: 'troth.js' });
  page.run(`${page.name}.identify('${userId}', { plan: 'pro' })`);
  page.run(`${page.name}.track('page_view', { page: '/x' })`);
  await (page.run(`${page.name}.shutdown(8000)`) as Promise<boolean>);
  const batches = page.requests.filter(({ url }) => url.endsWith('/batch'));
  if (batches.length === 0) throw new Error('the page sent nothing');
  return JSON.stringify(page.requests).includes(userId);
}

export const defaultMode = defineProof({
  control: 'identify.default-mode',
  strength: 'stored-bytes',
  blindTo: 'What a page asks for by itself: a mode that it names is no default any more.',
  async prove(look, { setting }) {
    const { canaries } = look;
    const types = typesOfPeople(look);
    const declared = look.policy.identify?.default;
    if (!types || declared === undefined) return gap(saw`the policy has no people, or no default`);
    if (declared !== STRICTEST) {
      return broken(saw`${term(setting as string)} is ${term(declared)}, not the strictest`);
    }
    const { anonymousId, userId } = canaries.person();
    const bare = { anonymousId, userId };
    const { context: _, ...event } = canaries.event(types.tracked, canaries.person());
    const told = await sendAll(look, [
      { type: 'identify', ...bare, traits: { plan: 'pro' } },
      { ...event, ...bare },
    ]);
    const strays = await strayModes(look, types.tracked, userId);
    if (strays > 0) {
      return broken(saw`${strays} of ${NO_MODES.length} events in a mode that is none were taken`);
    }
    if (refusalOf(told[0]?.body ?? {}, 0) !== 'identify-refused') {
      return broken(saw`an identify that asks for no mode was not refused`);
    }
    const row = await held(look, types.tracked, told[1]?.message ?? '');
    if (!row) return gap(saw`the event that asks for no mode could not be read back`);
    const isNobody = row.row.subject === NOBODY && !row.text.includes(userId);
    if (!isNobody || String(row.row['mode']) !== '0') {
      return broken(saw`an event that asks for no mode was stored under a person`);
    }
    if ((await canaries.subjectOf('user', userId)) !== undefined) {
      return broken(saw`the keeper has made an id for somebody whom no mode was asked for`);
    }
    if (await pageNames(look, userId)) {
      return broken(saw`the library of a page that sets nothing sends who the person is`);
    }
    return kept(
      saw`without a mode: identify was refused, an event was stored under nobody, and the library of
 a page that sets nothing sent no name; ${NO_MODES.length} events in a mode that is none were refused`,
    );
  },
});
