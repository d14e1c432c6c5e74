import type { Options, Sql } from 'postgres';
import { postgres } from './driver.ts';

/** What postgres.js needs to reach a database, read from a URL. */
export type Target = Options<Record<string, never>>;

/**
 * Reads a URL in the form that libpq and `pg` also read: `?host=/directory` means a unix socket,
 * which postgres.js does not know by itself.
 */
export function targetOf(url: string): Target {
  const parsed = new URL(url);
  const socket = parsed.searchParams.get('host');
  const ssl = parsed.searchParams.get('sslmode');
  const host = socket ?? decodeURIComponent(parsed.hostname).replace(/^\[(.*)\]$/, '$1');
  return {
    host,
    port: Number(parsed.port || 5432),
    username: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password),
    database: decodeURIComponent(parsed.pathname.slice(1)) || 'postgres',
    ...(ssl && ssl !== 'disable' ? { ssl: ssl as 'require' | 'prefer' | 'verify-full' } : {}),
  };
}

/** The same server and credentials, another database. */
export function withDatabase(url: string, database: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${database}`;
  return parsed.href;
}

/** The same server and database, another login. */
export function withLogin(url: string, username: string, password: string): string {
  const parsed = new URL(url);
  parsed.username = username;
  parsed.password = password;
  return parsed.href;
}

/** Connects; nothing is sent before the first query. Notices of the server are not printed. */
export function connect(url: string, more: Target = {}): Sql {
  return postgres({
    onnotice: () => undefined,
    connect_timeout: 10,
    max_lifetime: 600,
    ...targetOf(url),
    ...more,
    connection: { application_name: 'troth', ...more.connection },
  });
}
