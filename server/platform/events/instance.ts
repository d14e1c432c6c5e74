import { runtimeProblem } from '#platform/runtime';
import type { Events } from './open.ts';

/**
 * Marks the event store as that of this instance, or finds it marked so. Two installations on one
 * ClickHouse would write into each other's tables: their tenants may have the same names.
 *
 * @throws Problem data-without-keys when it belongs to another instance.
 */
export async function claimEvents(events: Events, instance: string): Promise<void> {
  await events.command('create database if not exists troth');
  await events.command(`
    create table if not exists troth.instance_marks (id String)
    engine = MergeTree order by id settings fsync_after_insert = 1, fsync_part_directory = 1`);
  const marks = await events.query<{ id: string }>('select id from troth.instance_marks limit 1');
  const found = marks[0]?.id;
  if (found === instance) return;
  if (found !== undefined) {
    throw runtimeProblem(
      'data-without-keys',
      'the ClickHouse of TROTH_CLICKHOUSE_URL holds events of another installation. Name one of its own.',
    );
  }
  const at = { database: 'troth', table: 'instance_marks', columns: ['id'] };
  await events.insert({ ...at, rows: [{ id: instance }], format: 'JSONEachRow' });
}
