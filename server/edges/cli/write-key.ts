/** `troth key`: the write keys of a service's applications. (`troth keys` is about the keyring.) */
import { askServer } from './running-server.ts';
import { type Answer, type Command, type Invocation, table, Usage } from './terminal.ts';

type Listed = {
  id: string;
  /** Null: a start made it for itself. */
  application: string | null;
  scopes: string[];
  origins: string[] | null;
  createdAt: string;
};

/** As no application can be called: the keys that a start keeps in `development.json`. */
const DEVELOPMENT = '(development)';

const HOW = 'say which: key make, key list, or key revoke ID';

const listIn = (text: string) => text.split(',').map((one) => one.trim());

function pathOf({ options }: Invocation, id?: string): string {
  const { tenant } = options;
  if (tenant === undefined) throw new Usage('say of which service, with --tenant');
  const keys = `/v1/operator/t/${encodeURIComponent(tenant)}/write-keys`;
  return id === undefined ? keys : `${keys}/${encodeURIComponent(id)}`;
}

async function make(invocation: Invocation): Promise<Answer> {
  const { name, scope = 'ingest', origin } = invocation.options;
  if (name === undefined) throw new Usage('say which application it is for, with --name');
  const wanted = {
    application: name,
    scopes: listIn(scope),
    ...(origin !== undefined && { origins: listIn(origin) }),
  };
  const path = pathOf(invocation);
  const made = await askServer(invocation.dataDir, 'POST', path, wanted);
  const { id, key } = made as { id: string; key: string };
  const kind = origin === undefined ? 'a secret of servers' : 'for pages, where anybody reads it';
  return {
    text: `${key}\nIt is shown once, and is ${kind}. To take it away: key revoke ${id}`,
    json: made,
  };
}

async function list(invocation: Invocation): Promise<Answer> {
  const said = await askServer(invocation.dataDir, 'GET', pathOf(invocation));
  const { keys } = said as { keys: Listed[] };
  if (keys.length === 0) return { text: 'no key is alive', json: said };
  const rows = keys.map(({ id, application, scopes, origins, createdAt }) => [
    ...[id, application ?? DEVELOPMENT, scopes.join(',')],
    ...[origins?.join(',') ?? 'server', createdAt.slice(0, 10)],
  ]);
  return { text: table([['id', 'application', 'may', 'origins', 'since'], ...rows]), json: said };
}

async function revoke(invocation: Invocation, id: string): Promise<Answer> {
  await askServer(invocation.dataDir, 'DELETE', pathOf(invocation, id));
  return { text: `${id} opens nothing any more`, json: { revoked: id } };
}

export const writeKeyCommand: Command = {
  takes:
    'make --tenant T --name APP [--scope ingest,consent,erase] [--origin URL,…] | list --tenant T | revoke ID --tenant T',
  does: 'make, list and revoke the write keys of applications',
  async run(invocation) {
    const [what, id, ...rest] = invocation.names;
    if (what === 'make' && id === undefined) return make(invocation);
    if (what === 'list' && id === undefined) return list(invocation);
    if (what === 'revoke' && id !== undefined && rest.length === 0) return revoke(invocation, id);
    throw new Usage(HOW);
  },
};
