/**
 * Logins that read for one purpose each.
 *
 * The embedded engine reads its users once, when it starts, and a purpose may be declared at any
 * time. So the logins are made before it is known what for: each may select in the database of its
 * own name and nowhere else, for good. A purpose takes a login, and a policy that comes into force
 * puts views into the login's database: what it may see, and no more.
 */
import { createHmac } from 'node:crypto';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { asked, type Events, MEANING } from './open.ts';
import type { EventsUser } from './settings.ts';

/** How many purposes there may be over all services of one engine. */
export const PURPOSE_LOGINS = 256;

/** The login, and the database that is its own. @param number  0 to 255. */
export function purposeLogin(number: number): string {
  if (!Number.isInteger(number) || number < 0 || number >= PURPOSE_LOGINS)
    throw new RangeError('no login has this number');
  return `purpose_${String(number).padStart(3, '0')}`;
}

/** Whoever has the server's password needs no other: each follows from it. */
const passwordOf = (serverPassword: string, login: string) =>
  createHmac('sha256', serverPassword).update(login).digest('base64url');

const numbers = Array.from({ length: PURPOSE_LOGINS }, (_, number) => number);

/** For the settings of the embedded engine. */
export const purposeUsers = (serverPassword: string): EventsUser[] =>
  numbers.map(purposeLogin).map((name) => ({
    name,
    password: passwordOf(serverPassword, name),
    grants: [`GRANT SELECT ON ${name}.*`],
  }));

/** Reads under the login of a purpose. What the engine does not let it see it does not see. */
export type PurposeReader = {
  /** @throws Problem events-unavailable, events-refused. */
  query<Row>(login: number, sql: string, params?: Record<string, unknown>): Promise<Row[]>;
  close(): Promise<void>;
};

function clientOf(url: string): { client: ClickHouseClient; password: string } {
  const { password } = new URL(url);
  const client = createClient({
    url,
    request_timeout: 30_000,
    max_open_connections: 4,
    clickhouse_settings: MEANING,
    log: { level: 127 as never },
  });
  return { client, password: decodeURIComponent(password) };
}

/** @param url  of the server's own login. */
export function openPurposeReader(url: string): PurposeReader {
  const { client, password } = clientOf(url);
  return {
    query: <Row>(login: number, query: string, params: Record<string, unknown> = {}) =>
      asked(async () => {
        const username = purposeLogin(login);
        const auth = { username, password: passwordOf(password, username) };
        const given = { query, query_params: params, format: 'JSONEachRow', auth } as const;
        return (await client.query(given)).json<Row>();
      }),
    close: () => client.close(),
  };
}

/**
 * Makes the logins on a ClickHouse of the operator's, unless they are there.
 *
 * @returns false when they are not there and may not be made: then nothing is read by purpose.
 */
export async function preparePurposeLogins(
  events: Pick<Events, 'command'>,
  url: string,
): Promise<boolean> {
  const reader = openPurposeReader(url);
  const { password } = new URL(url);
  try {
    await reader.query(0, 'select 1');
    return true;
  } catch {
    return await makeLogins(events, decodeURIComponent(password));
  } finally {
    await reader.close();
  }
}

/** What makes the logins, for an engine that takes users by SQL. */
export const purposeLoginStatements = (serverPassword: string): string[] =>
  purposeUsers(serverPassword).flatMap(({ name, password, grants }) => [
    `create user or replace ${name} identified with sha256_password by '${password}'`,
    ...grants.map((grant) => `${grant} TO ${name}`),
  ]);

async function makeLogins(events: Pick<Events, 'command'>, password: string): Promise<boolean> {
  try {
    for (const statement of purposeLoginStatements(password)) await events.command(statement);
    return true;
  } catch {
    return false;
  }
}
