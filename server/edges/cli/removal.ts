/** `troth service`: which services there are, and taking one out for good. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPolicy } from '@troth/policy-language';
import { askServer } from './running-server.ts';
import { type Answer, type Command, type Invocation, table, Usage } from './terminal.ts';

type Held = { store: string; place: string; rows: number };
type Outlook = { lost: Held[]; stays: Held[]; openErasures: number; holds: number };
type Tenants = { tenants: { id: string; title: string; revision: number }[] };
type Removals = { removals: { tenant: string; requestedAt: string; finishedAt: string | null }[] };

const rowsOf = (held: readonly Held[]) =>
  table(held.map(({ store, place, rows }) => [`  ${store}`, place, rows.toLocaleString('en')]));

/** What an operator has to know before; everything that is said was counted just now. */
function outlookText(tenant: string, { lost, stays, openErasures, holds }: Outlook): string {
  return [
    `Taking ${tenant} out cannot be undone. What will be lost:`,
    rowsOf(lost),
    ...(openErasures > 0
      ? [`  ${openErasures} erasures under way, which then are without end`]
      : []),
    ...(holds > 0 ? [`  ${holds} holds stand: nothing is taken out before they are lifted`] : []),
    'What stays: the audit log, the texts that were in force, and the record of the removal.',
    rowsOf(stays),
  ].join('\n');
}

/** Documents in the folder that the next start would put in force again. */
export function documentsOf(folder: string, tenant: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  } catch {
    return [];
  }
  return names
    .map((name) => join(folder, name))
    .filter((file) => readPolicy(readFileSync(file, 'utf8'), { file }).policy?.service === tenant);
}

async function list({ dataDir }: Invocation): Promise<Answer> {
  const { tenants } = (await askServer(dataDir, 'GET', '/v1/tenants')) as Tenants;
  const path = '/v1/operator/services/removed';
  const { removals } = (await askServer(dataDir, 'GET', path)) as Removals;
  const rows = [
    ...tenants.map(({ id, title, revision }) => [id, `revision ${revision} in force`, title]),
    ...removals.map(({ tenant, requestedAt, finishedAt }) => [
      tenant,
      finishedAt ? `taken out ${finishedAt.slice(0, 10)}` : 'being taken out',
      `asked ${requestedAt}`,
    ]),
  ];
  const json = { services: tenants.map(({ id, revision }) => ({ id, revision })), removals };
  return { text: rows.length > 0 ? table(rows) : 'there is no service here', json };
}

async function confirmed(invocation: Invocation, tenant: string, says: string): Promise<string> {
  const { options, ask, progress } = invocation;
  if (options.confirm !== undefined) return options.confirm;
  if (!ask)
    throw new Usage(`${says}\nTo do it: troth service remove ${tenant} --confirm ${tenant}`);
  progress(says);
  return (await ask('Type the name of the service again', '')).trim();
}

async function remove(invocation: Invocation, tenant: string): Promise<Answer> {
  const { dataDir, policiesDir } = invocation;
  const path = `/v1/operator/services/${encodeURIComponent(tenant)}/removal`;
  // One that is begun already has nothing left to count, and is only to be finished.
  const { removals } = (await askServer(
    dataDir,
    'GET',
    '/v1/operator/services/removed',
  )) as Removals;
  const isBegun = removals.some((one) => one.tenant === tenant && one.finishedAt === null);
  const says = isBegun
    ? `${tenant} is being taken out already; what is left of it goes now.`
    : outlookText(tenant, (await askServer(dataDir, 'GET', path)) as Outlook);
  const confirm = await confirmed(invocation, tenant, says);
  const done = (await askServer(dataDir, 'POST', path, { confirm })) as { lost: Held[] };
  const files = documentsOf(policiesDir, tenant);
  const text = [
    `${tenant} is taken out. Older copies of the keyring open its data until the keys are rotated:`,
    '  npm run troth -- keys rotate',
    ...(files.length > 0 ? ['The next start would put it in force again, empty:'] : []),
    ...files.map((file) => `  rm ${file}`),
  ].join('\n');
  return { text, json: { ...done, documents: files } };
}

export const removalCommand: Command = {
  takes: 'list | remove ID [--confirm ID]',
  does: 'the services of this installation; take one out for good',
  async run(invocation) {
    const [what, tenant, ...rest] = invocation.names;
    if (what === 'list' && tenant === undefined) return list(invocation);
    if (what === 'remove' && tenant && rest.length === 0) return remove(invocation, tenant);
    throw new Usage('say which: service list, or service remove ID');
  },
};
