import { createHmac } from 'node:crypto';
import type postgres from 'postgres';
import type { Log } from '#platform/log';
import { connect, withLogin } from './connection.ts';
import { databaseProblem } from './errors.ts';
import { migrateSchema, readMigrations } from './migrations.ts';
import { checkVersion, refusalOf } from './refusals.ts';

/** The server's own login. It owns nothing. */
export const APP_ROLE = 'troth_app';

/** Whatever still asks is cut off then: what was answered stands, and the rest is undone. */
const CLOSE_WITHIN_SECONDS = 1;
const LOGIN_REFUSED = new Set(['28P01', '28000']);

export type DatabaseOptions = {
  /** A login that may create roles and owns the database. No superuser is needed. */
  readonly url: string;
  readonly log: Log;
  /** Connections of the server's own login. Default 12. */
  readonly connectionsMax?: number;
  /** Leaves the server's own login closed: for tools that only look at schemas. */
  readonly adminOnly?: boolean;
};

export type Database = {
  /** The server's own login; unqualified names mean the schema `troth`. */
  readonly sql: postgres.Sql;
  /** Owns the schemas. For migrations and for what a policy compiles to, never for a request. */
  readonly admin: postgres.Sql;
  readonly adminUrl: string;
  readonly appUrl: string;
  /** Signs the tenant context; the database holds the same key where the app cannot read it. */
  readonly contextKey: Buffer;
  close(): Promise<void>;
};

type Secrets = { contextKey: Buffer; appPassword: string };

async function readSecrets(admin: postgres.Sql): Promise<Secrets> {
  const [row] = await admin<{ context: Buffer }[]>`select context from troth_sec.secrets limit 1`;
  if (!row) throw databaseProblem('database-not-preparable', 'the context key is missing');
  // One secret, two uses under two labels; the password is not stored a second time.
  const password = createHmac('sha256', row.context).update('troth/v1/app-login').digest();
  const contextKey = createHmac('sha256', row.context).update('troth/v1/context').digest();
  return { contextKey, appPassword: password.toString('base64url') };
}

async function tryLogin(url: string): Promise<boolean> {
  const sql = connect(url, { max: 1 });
  try {
    await sql`select 1`;
    return true;
  } catch (error) {
    if (LOGIN_REFUSED.has((error as { code?: string }).code ?? '')) return false;
    throw error;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Sets the login's password when it is not the one that follows from the secret. */
async function openLogin(admin: postgres.Sql, url: string, password: string): Promise<string> {
  const appUrl = withLogin(url, APP_ROLE, password);
  for (let attempt = 0; attempt < 5; attempt++) {
    if (await tryLogin(appUrl)) return appUrl;
    const [made] = await admin<{ statement: string }[]>`
      select format('alter role %I login password %L', ${APP_ROLE}::text, ${password}::text)
        as statement`;
    // Two servers may set it at once; the loser of that race finds it set.
    await admin.unsafe(made?.statement ?? '').catch(() => undefined);
  }
  throw databaseProblem('database-not-preparable', `${APP_ROLE} cannot log in`);
}

/**
 * Prepares the control schema and opens the two logins.
 *
 * Roles belong to a whole PostgreSQL server, and so does the one login: two installations on one
 * server would set its password in turn.
 *
 * @throws Problem database-newer, database-not-preparable, migration-changed.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { url, log } = options;
  const connection = { search_path: 'troth' };
  const admin = connect(url, { max: 4, connection, idle_timeout: 30 });
  try {
    await checkVersion(admin);
    await migrateSchema(
      admin,
      { section: 'control', schema: 'troth', log },
      await readMigrations('control'),
    );
    const { contextKey, appPassword } = await readSecrets(admin);
    const appUrl = options.adminOnly ? url : await openLogin(admin, url, appPassword);
    const sql = connect(appUrl, { max: options.connectionsMax ?? 12, connection });
    return {
      sql,
      admin,
      adminUrl: url,
      appUrl,
      contextKey,
      close: async () => {
        const timeout = CLOSE_WITHIN_SECONDS;
        await Promise.all([sql.end({ timeout }), admin.end({ timeout })]);
      },
    };
  } catch (error) {
    await admin.end({ timeout: 1 });
    throw refusalOf(url, error);
  }
}
