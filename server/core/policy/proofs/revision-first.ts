import { inEngine, readBack, withFields } from '#core/looking';
import { broken, defineProof, gap, kept, saw, terms } from '#core/promises';
import { storedRevisions } from './revisions.ts';
import { storedColumns } from './stored-columns.ts';

type Declared = { data?: Record<string, { fields?: Record<string, unknown> }> };

/** Columns that every table of events has; none of them holds what a client chose to send. */
const OWN =
  /^(received_at|event_at|name|subject|session|message|batch|country|device|os|browser|mode|sealed|expires)$/;

export const revisionFirst = defineProof({
  control: 'changes.revision-first',
  strength: 'stored-bytes',
  blindTo: 'Meaning: a declared field in which a client puts something else.',
  async prove(at) {
    const documents = (await storedRevisions(at)).map(({ document }) => document as Declared);
    const declares = (table: string, column?: string) =>
      documents.some(({ data = {} }) => {
        const id = Object.keys(data).find((name) => inEngine(name) === table);
        if (id === undefined || column === undefined) return id !== undefined;
        return OWN.test(column) || Object.hasOwn(data[id]?.fields ?? {}, column.replace(/^f_/, ''));
      });
    const columns = await storedColumns(at);
    if (columns.length === 0) return gap(saw`the service has no table of events`);
    const ahead = columns.filter(({ table, name }) => !declares(table) || !declares(table, name));
    if (ahead.length > 0)
      return broken(
        saw`stored without a revision: ${terms(ahead.map(({ table, name }) => `${table}.${name}`))}`,
      );
    const [dataType = ''] = at.canaries.eventTypes;
    const person = await at.canaries.agreeing();
    const { marker } = at.canaries.person();
    const event = at.canaries.event(dataType, person);
    const row = await readBack(at, dataType, withFields(event, { not_yet_promised: marker }));
    if (!row) return gap(saw`the canary could not be read back`);
    const opened = await at.canaries.opened(dataType, row);
    if (JSON.stringify([row, opened]).includes(marker))
      return broken(saw`a field that no revision declares was stored`);
    return kept(
      saw`${columns.length} of ${columns.length} stored columns are declared by a revision; a field that is not was cut before it was stored`,
    );
  },
});
