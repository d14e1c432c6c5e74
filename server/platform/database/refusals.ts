/** Why a PostgreSQL that was named cannot be used, as a sentence for the operator. */
import type postgres from 'postgres';
import { Problem } from '#base/problem';
import { placeOf } from './connection.ts';
import { databaseProblem } from './errors.ts';

/** What the migrations are written for: uuidv7() and grants that say whether they are inherited. */
const VERSION_MIN = 18;

const NO_ANSWER = /^(E[A-Z]+|CONNECT_TIMEOUT|CONNECTION_(CLOSED|ENDED|DESTROYED))$/;
const NOT_TRUSTED = /^(ERR_TLS|.*CERT|.*SIGNATURE|.*ISSUER)/;

function sentenceOf(url: string, code: string, message: string): string | undefined {
  const { server, user, database } = placeOf(url);
  if (code === '28P01' || code === '28000') return `${server} refuses the login ${user}`;
  if (code === '3D000') return `${server} has no database ${database}`;
  if (code === '42501') return `the login ${user} lacks a right: ${message}`;
  if (NOT_TRUSTED.test(code)) return `the certificate of ${server} is not trusted (${code})`;
  if (/does not support SSL/i.test(message)) return `${server} offers no TLS; see sslmode`;
  if (NO_ANSWER.test(code)) return `${server} does not answer (${code})`;
  return undefined;
}

/** A Problem for what an operator can mend; any other error as it came. */
export function refusalOf(url: string, error: unknown): unknown {
  if (error instanceof Problem || !(error instanceof Error)) return error;
  const code = 'code' in error ? String(error.code) : '';
  const sentence = sentenceOf(url, code, error.message);
  return sentence ? databaseProblem('database-not-preparable', sentence) : error;
}

/** @throws Problem database-not-preparable for an older PostgreSQL. */
export async function checkVersion(admin: postgres.Sql): Promise<void> {
  const [seen] = await admin<{ version: string }[]>`
    select current_setting('server_version') as version`;
  if (Number.parseInt(seen?.version ?? '', 10) >= VERSION_MIN) return;
  throw databaseProblem(
    'database-not-preparable',
    `PostgreSQL ${VERSION_MIN} or newer is needed, this is ${seen?.version}`,
  );
}
