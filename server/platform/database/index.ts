/**
 * PostgreSQL: the durable truth. Embedded or remote differ by a URL and nothing else.
 *
 * Two logins: `sql` is the server's own, which owns nothing and can change no schema; `admin` owns
 * the schemas and is used for migrations and for what a policy compiles to. Parameters are bound,
 * always.
 */
export { databaseAway, logThrown } from './away.ts';
export { connect, poolTargetOf, targetOf, withDatabase, withLogin } from './connection.ts';
export { type EmbeddedPostgres, type PostgresOptions, startPostgres } from './embedded.ts';
export { databaseProblem } from './errors.ts';
export { claimDatabase } from './instance.ts';
export {
  type Migration,
  type MigrationSection,
  migrateEvents,
  migrateSchema,
  readMigrations,
} from './migrations.ts';
export { APP_ROLE, type Database, type DatabaseOptions, openDatabase } from './open.ts';
export { flushPages, type Purged, purgeDeleted } from './purge.ts';
export { describeSchema } from './snapshot.ts';
