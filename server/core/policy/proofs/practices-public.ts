import { inEngine, type Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, terms } from '#core/promises';
import { publishedBy, rowsBelow } from './published.ts';
import { storedColumns } from './stored-columns.ts';

type Mapped = {
  id: string;
  purposes: { id: string }[];
  categories: string[];
  fields: { name: string }[];
};

/** What of the declared types and purposes a stranger does not find in the rows of the page. */
function missingOn(html: string, { policy }: Look): string[] {
  const held = rowsBelow(html, 'What is held');
  const purposes = rowsBelow(html, 'Why it is used').map(([title]) => title);
  const recipients = rowsBelow(html, 'Who receives it').map(([title]) => title);
  const titleOf = (id: string) => policy.purposes[id]?.title ?? id;
  const data = Object.values(policy.data).filter((type) => {
    const row = held.find(([title]) => title === type.title);
    return !row || !type.purposes.every((id) => row[2]?.includes(titleOf(id))) || row[3] === '';
  });
  return [
    ...data.map(({ title }) => title),
    ...Object.keys(policy.purposes)
      .map(titleOf)
      .filter((title) => !purposes.includes(title)),
    ...Object.values(policy.recipients ?? {})
      .map(({ title }) => title)
      .filter((title) => !recipients.includes(title)),
  ];
}

/** Where a canary of each type really landed: tables that the data map does not know. */
async function unmapped(at: Look, known: readonly Mapped[]): Promise<string[] | undefined> {
  const person = await at.canaries.agreeing();
  const events = at.canaries.eventTypes.map((id) => at.canaries.event(id, person));
  const { status, messages } = await at.canaries.send(events);
  if (status !== 200) return undefined;
  for (const [index, id] of at.canaries.eventTypes.entries()) {
    const [row] = await at.canaries.stored(id, messages[index] ?? '');
    if (!row) return undefined;
  }
  const tables = new Set((await storedColumns(at)).map(({ table }) => table));
  const names = new Set(known.map(({ id }) => inEngine(id)));
  return [...tables].filter((table) => !names.has(table));
}

export const practicesPublic = defineProof({
  control: 'policy.practices-public',
  strength: 'api',
  blindTo: 'What other processors do with the data.',
  async prove(at) {
    const published = await publishedBy(at);
    const map = await at.http(`/v1/t/${at.tenant}/data-map`);
    if (!published || map.status !== 200)
      return broken(saw`a stranger cannot read the page or the data map`);
    const missing = missingOn(published.html, at);
    if (missing.length > 0) return broken(saw`the page leaves out ${terms(missing)}`);
    const { types } = map.json as { types: Mapped[] };
    const wrong = Object.entries(at.policy.data).filter(([id, type]) => {
      const entry = types.find((one) => one.id === id);
      const purposes = entry?.purposes.map((one) => one.id).join();
      const fields = entry?.fields.map(({ name }) => name).join();
      const declared = Object.keys(type.fields ?? {}).join();
      return purposes !== type.purposes.join() || fields !== declared || !entry?.categories.length;
    });
    if (wrong.length > 0)
      return broken(saw`the data map differs at ${terms(wrong.map(([id]) => id))}`);
    if (at.canaries.eventTypes.length === 0) return gap(saw`no event could be followed`);
    const strange = await unmapped(at, types);
    if (!strange) return gap(saw`the canaries could not be read back`);
    if (strange.length > 0)
      return broken(saw`data lies in places that the map does not show: ${terms(strange)}`);
    return kept(
      saw`without a key: ${types.length} types with purposes on the page and in the data map; ${at.canaries.eventTypes.length} canaries landed where the map says`,
    );
  },
});
