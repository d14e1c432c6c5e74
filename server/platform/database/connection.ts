import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { PoolConfig } from 'pg';
import type { Options, Sql } from 'postgres';
import { postgres } from './driver.ts';
import { databaseProblem } from './errors.ts';

/** What postgres.js needs to reach a database, read from a URL. */
export type Target = Options<Record<string, never>>;

const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/;

/** What `sslmode` may be. libpq's `allow` and `prefer` are not: they give way in silence. */
export const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;

function readAuthority(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw databaseProblem('database-not-preparable', `sslrootcert: ${file} cannot be read`);
  }
}

/**
 * Reads `sslmode` and `sslrootcert` as libpq does. Without an `sslmode` a socket and loopback are
 * plain, and every other host must prove its name: nothing crosses a network in the clear unless
 * somebody wrote `sslmode=disable`.
 */
function tlsOf(host: string, given: URLSearchParams): ConnectionOptions | false {
  const near = host.startsWith('/') || LOOPBACK.test(host);
  const mode = given.get('sslmode') ?? (near ? 'disable' : 'verify-full');
  const file = given.get('sslrootcert');
  const trusted = { host, ...(file ? { ca: readAuthority(file) } : {}) };
  switch (mode) {
    case 'disable':
      return false;
    case 'require':
      // With an authority named, libpq checks the certificate against it.
      return file
        ? { ...trusted, checkServerIdentity: () => undefined }
        : { rejectUnauthorized: false };
    case 'verify-ca':
      return { ...trusted, checkServerIdentity: () => undefined };
    case 'verify-full':
      return trusted;
    default:
      throw databaseProblem('database-not-preparable', `sslmode is one of ${SSL_MODES.join(', ')}`);
  }
}

function read(url: string) {
  const parsed = new URL(url);
  const given = parsed.searchParams;
  const host = given.get('host') ?? decodeURIComponent(parsed.hostname).replace(/^\[(.*)\]$/, '$1');
  return {
    host,
    port: Number(parsed.port || 5432),
    user: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password),
    database: decodeURIComponent(parsed.pathname.slice(1)) || 'postgres',
    ssl: tlsOf(host, given),
  };
}

/**
 * Reads a URL in the form that libpq reads: `?host=/directory` means a unix socket.
 *
 * @throws Problem database-not-preparable for an `sslmode` or an authority that cannot be used.
 */
export function targetOf(url: string): Target {
  const { user, ssl, ...target } = read(url);
  return { ...target, username: user, ...(ssl ? { ssl } : {}) };
}

/**
 * The same for `pg`, which the job queue speaks: it is never handed the URL, since it reads
 * `sslmode` in another way.
 */
export const poolTargetOf = (url: string): PoolConfig => read(url);

/** Where a URL leads, for a sentence: no password. */
export function placeOf(url: string): { server: string; user: string; database: string } {
  const { host, port, user, database } = read(url);
  return { server: host.startsWith('/') ? host : `${host}:${port}`, user, database };
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
