import { type Look, personalRow } from '#core/looking';
import { broken, defineProof, gap, kept, saw, terms } from '#core/promises';
import { neighbours, type Resident, rowsSeen } from './neighbours.ts';

/** Tables of events that have rows of a person, whatever database they are in. */
async function eventTablesWith({ query }: Look, subject: string): Promise<string[]> {
  const tables = await query<{ database: string; table: string }>(
    `select database, table from system.columns
     where name = 'subject' and type = 'FixedString(16)' order by database, table`,
  );
  const found: string[] = [];
  for (const { database, table } of tables) {
    const [row] = await query<{ rows: string }>(
      `select count() as rows from {database:Identifier}.{table:Identifier}
       where subject = unhex({subject:String})`,
      { database, table, subject },
    );
    if (Number(row?.rows) > 0) found.push(database);
  }
  return [...new Set(found)];
}

/** Schemas of other services in which a resident has rows. */
async function strayed(look: Look, own: Resident, others: readonly Resident[]): Promise<string[]> {
  const found: string[] = [];
  for (const { tenant, schema } of others) {
    // In that service's own context, which is the only one that shows what lies there.
    if ((await rowsSeen(look, { ...own, schema }, tenant)) > 0) found.push(schema);
  }
  return found;
}

export const ownSchema = defineProof({
  control: 'tenancy.own-schema',
  strength: 'stored-bytes',
  blindTo: 'What all services pass through: the inbox, for seconds and sealed, and the audit log.',
  async prove(at) {
    const { own, others } = await neighbours(at);
    if (!own || others.length === 0) return gap(saw`two canaries of two services were not made`);
    const event = await personalRow(at);
    if (!event) return gap(saw`a canary's event could not be read back`);
    const schemas = new Set([own, ...others].map(({ schema }) => schema));
    if (schemas.size <= others.length) return broken(saw`two services share a schema`);
    const stray = await strayed(at, own, others);
    if (stray.length > 0) return broken(saw`a row of the canary lies in ${terms(stray)}`);
    if ((await rowsSeen(at, own, own.tenant)) === 0) {
      return gap(saw`the canary's row was found in no schema`);
    }
    const databases = await eventTablesWith(at, event.row.subject);
    if (databases.length !== 1) {
      return broken(saw`events of one canary lie in ${terms(databases)}`);
    }
    return kept(
      saw`the canary's rows lie in ${terms([own.schema])} of PostgreSQL and ${terms(databases)} of ClickHouse, and in none of the schemas of ${others.length} other services`,
    );
  },
});
