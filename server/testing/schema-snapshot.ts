/**
 * Writes migrations/schema.sql: what all migrations add up to. Run after adding one:
 * `node server/testing/schema-snapshot.ts`.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TenantId } from '#base/ids';
import { createTenant, schemaOf } from '#core/tenancy';
import { connect, describeSchema, openDatabase, withDatabase } from '#platform/database';
import { silentLog } from '#platform/log';
import { testEngines } from './engines.ts';

export const SNAPSHOT = join(import.meta.dirname, '..', 'migrations', 'schema.sql');

const HEAD = `-- What the migrations add up to: read it to know the schema; to change that, add a migration.
-- Made by \`node server/testing/schema-snapshot.ts\`; a test rebuilds it and compares.
-- Every tenant has a schema like the last one; its tables have forced row security.
`;

/** Builds both schemas in an empty database and describes them. */
export async function buildSnapshot(): Promise<string> {
  const engines = await testEngines();
  const name = `snapshot_${randomBytes(6).toString('hex')}`;
  const admin = connect(engines.postgresUrl, { max: 1 });
  await admin.unsafe(`create database ${name}`);
  try {
    const url = withDatabase(engines.postgresUrl, name);
    // The login belongs to the whole engine, and other tests hold its password: left closed here.
    const db = await openDatabase({ url, log: silentLog, adminOnly: true });
    const tenant = TenantId('sample');
    await createTenant(db, tenant, { now: new Date(0), log: silentLog });
    const parts = [
      await describeSchema(db.admin, 'troth_sec'),
      await describeSchema(db.admin, 'troth'),
      await describeSchema(db.admin, schemaOf(tenant), 'tenant'),
    ];
    await db.close();
    const commented = parts
      .join('\n')
      .replaceAll(/^(?=.)/gm, '-- ')
      .replaceAll(/^$/gm, '--');
    return `${HEAD}\n${commented.trimEnd()}\n`.replaceAll(/^--\n$/gm, '\n');
  } finally {
    await admin.unsafe(`drop database ${name} with (force)`);
    await admin.end();
    engines.release();
  }
}

export const readSnapshot = (): string => readFileSync(SNAPSHOT, 'utf8');

if (process.argv[1] === import.meta.filename) {
  writeFileSync(SNAPSHOT, await buildSnapshot());
  process.exit(0);
}
