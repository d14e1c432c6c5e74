/** The settings of the embedded ClickHouse, as the two XML files it reads. */
import { createHash } from 'node:crypto';
import { CLEANING, DURABLE } from './table-settings.ts';

type Tree = { [name: string]: string | number | Tree };

function xml(tree: Tree, indent = '  '): string {
  return Object.entries(tree)
    .map(([name, value]) =>
      typeof value === 'object'
        ? `${indent}<${name}>\n${xml(value, `${indent}  `)}${indent}</${name}>\n`
        : `${indent}<${name}>${value}</${name}>\n`,
    )
    .join('');
}

const document = (tree: Tree) => `<clickhouse>\n${xml(tree)}</clickhouse>\n`;

/** A login that the engine is told of at each start. Purposes get one each, with grants of theirs. */
export type EventsUser = {
  readonly name: string;
  readonly password: string;
  readonly grants: readonly string[];
};

/** What HTTP sends for this user, and the only thing that opens the door. */
const authorizationOf = ({ name, password }: EventsUser) =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

/** One rule a user; whatever fits no rule is answered 404 before anybody is asked who he is. */
const doors = (users: readonly EventsUser[]): Tree =>
  Object.fromEntries(
    users.map((user, index) => [
      `rule_${index}`,
      {
        headers: { Authorization: authorizationOf(user) },
        handler: { type: 'dynamic_query_handler', query_param_name: 'query' },
      },
    ]),
  );

/**
 * Holds the passwords of this start: its file has mode 0600.
 *
 * @param durable  false leaves out the fsync settings; for tests only.
 */
export function configurationXml(given: {
  usersFile: string;
  users: readonly EventsUser[];
  durable: boolean;
  memoryBytesMax: number;
}): string {
  return document({
    logger: { level: 'none' },
    user_directories: { users_xml: { path: given.usersFile } },
    http_handlers: doors(given.users),
    max_server_memory_usage: given.memoryBytesMax,
    mark_cache_size: 16 * 1024 ** 2,
    uncompressed_cache_size: 0,
    index_mark_cache_size: 0,
    index_uncompressed_cache_size: 0,
    mmap_cache_size: 0,
    compiled_expression_cache_size: 1024 ** 2,
    query_cache: { max_size_in_bytes: 0 },
    max_thread_pool_size: 200,
    // An insert takes several threads; made anew for each, they were a tenth of its cost.
    max_thread_pool_free_size: 32,
    thread_pool_queue_size: 10_000,
    background_pool_size: 2,
    background_merges_mutations_concurrency_ratio: 2,
    background_schedule_pool_size: 4,
    background_common_pool_size: 2,
    background_move_pool_size: 1,
    background_fetches_pool_size: 1,
    background_buffer_flush_schedule_pool_size: 1,
    background_message_broker_schedule_pool_size: 1,
    background_distributed_schedule_pool_size: 1,
    max_io_thread_pool_size: 8,
    max_io_thread_pool_free_size: 0,
    max_parts_cleaning_thread_pool_size: 2,
    asynchronous_metrics_update_period_s: 60,
    asynchronous_heavy_metrics_update_period_s: 600,
    memory_worker_period_ms: 1_000,
    disable_internal_dns_cache: 1,
    merge_tree: { ...(given.durable ? DURABLE : {}), ...CLEANING, ...POOLS, ...MERGES },
  });
}

/** Small parts wait for ten of their size, not five, before they are merged: fewer files, less CPU. */
const MERGES = { merge_selector_base: 10 } as const;

/** A pool of two threads is smaller than the engine's defaults assume; it refuses to start else. */
const POOLS = {
  number_of_free_entries_in_pool_to_execute_mutation: 1,
  number_of_free_entries_in_pool_to_lower_max_size_of_merge: 1,
  number_of_free_entries_in_pool_to_execute_optimize_entire_partition: 1,
} as const;

const PROFILE = {
  async_insert: 0,
  max_threads: 2,
  max_execution_time: 60,
  max_memory_usage: 512 * 1024 ** 2,
  mutations_sync: 2,
  log_queries: 0,
  send_logs_level: 'none',
  http_response_buffer_size: 65_536,
} as const;

/** Tables of the MergeTree family only: no file, no URL, no other server can be reached by SQL. */
export const SERVER_GRANTS: readonly string[] = [
  'GRANT SHOW, SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP, TRUNCATE, OPTIMIZE ON *.*',
  'GRANT KILL QUERY, SYSTEM MERGES, SYSTEM TTL MERGES ON *.*',
  // A view for a purpose shows what its login may not read by itself.
  'GRANT ALLOW SQL SECURITY NONE ON *.*',
  'GRANT TABLE ENGINE ON MergeTree',
  'GRANT TABLE ENGINE ON ReplacingMergeTree',
  'GRANT TABLE ENGINE ON SummingMergeTree',
  'GRANT TABLE ENGINE ON AggregatingMergeTree',
];

/** What the session that opens the listener needs: to open it, and to sleep from then on. */
const STARTER_GRANTS = ['GRANT SYSTEM LISTEN ON *.*', 'GRANT CREATE TEMPORARY TABLE ON *.*'];

/** The engine ends when its first query does, so that one never does. */
export const STARTER_QUERY = [
  'system start listen http',
  'select sleep(3) from numbers(1000000000000) settings max_block_size = 1, max_execution_time = 0 format Null',
].join('; ');

/** No limit of time, since the query that sleeps never ends; but little of everything else. */
const STARTER_PROFILE = {
  max_execution_time: 0,
  max_threads: 1,
  max_memory_usage: 16 * 1024 ** 2,
  constraints: { max_memory_usage: { readonly: '' }, max_threads: { readonly: '' } },
} as const;

const userXml = ({ name, password, grants }: EventsUser) => {
  const digest = createHash('sha256').update(password).digest('hex');
  return userElement(name, `<password_sha256_hex>${digest}</password_sha256_hex>`, {
    profile: 'default',
    grants,
  });
};

const userElement = (
  name: string,
  proof: string,
  { profile, grants }: { profile: string; grants: readonly string[] },
) =>
  [
    `    <${name}>${proof}<networks><ip>127.0.0.1</ip></networks>`,
    `      <profile>${profile}</profile><quota>default</quota>`,
    `      <grants>${grants.map((grant) => `<query>${grant}</query>`).join('')}</grants></${name}>`,
  ].join('\n');

/**
 * The engine's own session is the user `default`, without a password and from loopback; neither can
 * be changed: it signs itself in that way and ends when it may not. (Tried: a password, an address
 * that HTTP cannot come from, a quota, a reload of this file.) So the door is guarded instead: HTTP
 * answers nobody who does not show a password of this start, see `doors`. And `default` itself may
 * open the listener and sleep: it reads no table and no file.
 */
export const usersXml = (users: readonly EventsUser[]): string =>
  [
    '<clickhouse>',
    `  <profiles><default>\n${xml(PROFILE, '    ')}  </default>`,
    `  <starter>\n${xml(STARTER_PROFILE, '    ')}  </starter></profiles>`,
    '  <quotas><default/></quotas>',
    '  <users>',
    userElement('default', '<no_password/>', { profile: 'starter', grants: STARTER_GRANTS }),
    ...users.map(userXml),
    '  </users>',
    '</clickhouse>',
    '',
  ].join('\n');
