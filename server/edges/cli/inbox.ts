/** `troth inbox`: what the event store refused and the inbox kept, and another try. */
import { askServer } from './running-server.ts';
import { type Command, table, Usage } from './terminal.ts';

type Stuck = {
  id: string;
  tenant: string;
  table: string;
  day: string;
  rows: number;
  engineCode: number;
  since: string;
};
type Retried = { id: string; rows: number };

export const inboxCommand: Command = {
  takes: '[--retry ID | --all]',
  does: 'look at acknowledged rows that the event store refused, try them again',
  async run({ dataDir, names, options }) {
    const { retry, all } = options;
    if (names.length > 0 || (retry !== undefined && all)) throw new Usage('name one id, or --all');
    if (retry === undefined && !all) {
      const said = await askServer(dataDir, 'GET', '/v1/operator/inbox/stuck');
      const { stuck } = said as { stuck: Stuck[] };
      return { json: said, text: inRows(stuck) };
    }
    const which = all ? { all: true } : { id: retry };
    const said = await askServer(dataDir, 'POST', '/v1/operator/inbox/retry', which);
    const { stored } = said as { stored: Retried[] };
    const rows = stored.reduce((sum, one) => sum + one.rows, 0);
    return { json: said, text: `${rows} rows are stored now` };
  },
};

function inRows(stuck: readonly Stuck[]): string {
  if (stuck.length === 0) return 'Nothing is set aside.';
  const head = ['id', 'service', 'table', 'day', 'rows', 'engine code', 'since'];
  return table([
    head,
    ...stuck.map(({ id, tenant, table: name, day, rows, engineCode, since }) => [
      ...[id, tenant, name, day, String(rows), String(engineCode), since],
    ]),
  ]);
}
