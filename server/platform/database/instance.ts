import type postgres from 'postgres';
import { runtimeProblem } from '#platform/runtime';

/**
 * Marks the database as that of this instance, or finds it marked so: data and keys carry one id,
 * also when the data is on another machine.
 *
 * @throws Problem data-without-keys when the database belongs to the keys of another instance.
 */
export async function claimDatabase(admin: postgres.Sql, instance: string): Promise<void> {
  await admin`insert into troth.instance_marks (id) values (${instance}) on conflict do nothing`;
  const [mark] = await admin<{ id: string }[]>`select id from troth.instance_marks limit 1`;
  if (mark?.id === instance) return;
  throw runtimeProblem(
    'data-without-keys',
    'the PostgreSQL of TROTH_POSTGRES_URL holds data of another keyring. Set TROTH_KEYRING_DIR and TROTH_DATA_DIR to what belongs to it, or name an empty database.',
  );
}
