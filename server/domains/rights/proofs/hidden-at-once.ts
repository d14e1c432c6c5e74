import { inEngine, type Look, type Moment, momentOf, placesOf, readAt } from '#core/looking';
import { broken, defineProof, gap, kept, saw, span } from '#core/promises';
import { hasKey, nameOf, shownOf, whois } from './demands.ts';
import { lateStored, leave } from './erased.ts';
import { leaveArchived } from './stores.ts';

/** A deletion from the page of the operator, which may be undone where the policy allows it. */
async function deleteAsOperator(look: Look, handle: object): Promise<void> {
  const body = { handle, confirm: true, verified: 'canary' };
  const told = await look.operator(`/v1/t/${look.tenant}/erasures`, { body });
  if (told.status !== 202) throw new Error('a demand was not taken in');
}

/** Types whose rows a reading shows with their person, with a purpose that they may be read for. */
function readable({ canaries, policy }: Look): (readonly [data: string, purpose: string])[] {
  return canaries.eventTypes.flatMap((data) => {
    const { key } = policy.data[data] ?? {};
    const [purpose] = policy.data[data]?.purposes ?? [];
    return key === 'subject' && purpose !== undefined ? [[data, purpose] as const] : [];
  });
}

type Shown = { readonly moment: Moment; readonly purpose: string };

/** The rows of somebody, each with a purpose that it may be read for. */
async function rowsOf(look: Look, subject: string): Promise<Shown[]> {
  const found: Shown[] = [];
  for (const [data, purpose] of readable(look)) {
    const rows = await look.query<{ message: string }>(
      `select toString(message) as message from {database:Identifier}.{table:Identifier}
       where subject = unhex({subject:String})`,
      { database: placesOf(look).active, table: inEngine(data), subject },
    );
    for (const { message } of rows)
      found.push({ moment: await momentOf(look, data, message), purpose });
  }
  return found;
}

/** A row of somebody in each archive, with a purpose that it may be read for. */
async function archivedOf(look: Look, subject: string): Promise<Shown[]> {
  const purposes = new Map(readable(look));
  return (await leaveArchived(look, subject)).flatMap(({ data, message, at }) => {
    const purpose = purposes.get(data);
    if (purpose === undefined) return [];
    const until = new Date(at.getTime() + 1).toISOString();
    const from = at.toISOString();
    return [{ moment: { data, message, from, until, tier: 'archive' as const }, purpose }];
  });
}

/** How many of these rows the readings of their types show. */
async function readOf(look: Look, rows: readonly Shown[]): Promise<number> {
  const answers = await Promise.all(
    rows.map(({ moment, purpose }) => readAt(look, moment, purpose)),
  );
  if (answers.some(({ status }) => status !== 200)) throw new Error('a reading was refused');
  return answers.filter(({ row }) => row !== undefined).length;
}

export const hiddenAtOnce = defineProof({
  control: 'erasure.hidden-at-once',
  strength: 'api',
  blindTo:
    'What was shown before and is still on somebody’s screen; the number of rows of a type, which counts hidden ones until they are destroyed.',
  async prove(look) {
    const [person, other] = await Promise.all([look.canaries.agreeing(), look.canaries.agreeing()]);
    await leave(look, person);
    const subject = (await look.canaries.subjectOf('user', person.userId)) ?? '';
    const stranger = await shownOf(look, look.canaries.person());
    const before = await shownOf(look, person);
    const archived = await archivedOf(look, subject);
    const rows = [...(await rowsOf(look, subject)), ...archived];
    const readBefore = await readOf(look, rows);
    const isShown = before.receipts > 0 && readBefore > archived.length;
    if (!isShown || !(await hasKey(look, [subject]))) {
      return gap(saw`nothing of the canary is shown to begin with`);
    }
    await deleteAsOperator(look, nameOf(person));
    const began = performance.now();
    const [after, canRead] = await Promise.all([shownOf(look, person), hasKey(look, [subject])]);
    const took = performance.now() - began;
    const read = await readOf(look, rows);
    const others = await shownOf(look, other);
    if (others.receipts === 0) return gap(saw`somebody who was not deleted is not shown either`);
    if (after.receipts > 0) return broken(saw`${after.receipts} decisions are still shown`);
    if (after.granted !== stranger.granted) return broken(saw`consents still count as given`);
    if (read > 0) return broken(saw`${read} rows of events are still shown to who reads them`);
    if (canRead) return broken(saw`the keyring still hands out the key of who was deleted`);
    if (await lateStored(look, person, other)) {
      return broken(saw`an event that came after the deletion was stored`);
    }
    if ((await whois(look, person)) === 'unknown') return gap(saw`the canary was never known`);
    return kept(
      saw`${span(took)} after the answer 0 of ${before.receipts} decisions and of ${readBefore} rows of events were shown, no key was handed out for the rows, and what came late was not stored; who was not deleted is shown as before`,
    );
  },
});
