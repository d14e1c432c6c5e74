/**
 * The composition root: starts what runs below, hands it up layer by layer, listens, and takes it
 * all down in reverse. It knows everyone; nobody knows it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { controlCatalogue, renderPolicy } from '@troth/policy-language';
import { systemClock } from '#base/clock';
import { finishApplies, openPolicies } from '#core/policy';
import { openTenancy } from '#core/tenancy';
import { eventRowCounter, openDataMap, openPipelineWatch, openPromises } from '#oversight/evidence';
import { openDatabase, startPostgres } from '#platform/database';
import { openEvents, startClickHouse } from '#platform/events';
import { openLog } from '#platform/log';
import { openDataDirectory, shortDirectory } from '#platform/runtime';
import { localCertificate } from '#platform/tls';
import type { Config } from './config.ts';
import { createApp, listen, openOperator, operatorStore } from './edges/http/index.ts';
import { applyFolder, servicesOf } from './services.ts';

export type ServeOptions = {
  config: Config;
  root: string;
  policiesDir: string;
  writeLog(line: string): void;
  progress(text: string): void;
};

/** What a development start prints, and keeps in `development.json` at mode 0600. */
export type Development = {
  url: string;
  secureUrl: string;
  operatorLink: string;
  operatorToken: string;
  writeKeys: Record<string, string>;
};

export type Serving = { development: Development; greeting: string; close(): Promise<void> };

const HOSTS = ['localhost', '127.0.0.1', '[::1]'];
const SECURITY_CONTACT = 'mailto:security@localhost';

/** Starts everything; on a failure half-way, takes down what had started. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const stack = new AsyncDisposableStack();
  try {
    return await start(options, stack);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function start(options: ServeOptions, stack: AsyncDisposableStack): Promise<Serving> {
  const { config, root, progress } = options;
  const clock = systemClock;
  const log = openLog(options.writeLog, () => clock.now());
  const directory = openDataDirectory(config);
  stack.defer(() => directory.release());

  progress('Starting the engines …');
  const runtimeDir = shortDirectory(config.dataDir);
  const engineOptions = { dataDir: config.dataDir, runtimeDir, log };
  const [postgresUrl, clickhouseUrl] = await Promise.all([
    config.postgresUrl ?? startPostgres(engineOptions).then((engine) => owned(stack, engine)),
    config.clickhouseUrl ?? startClickHouse(engineOptions).then((engine) => owned(stack, engine)),
  ]);
  const db = stack.adopt(await openDatabase({ url: postgresUrl, log }), (open) => open.close());
  const events = stack.adopt(openEvents(clickhouseUrl), (open) => open.close());

  progress('Applying the policies …');
  await openTenancy(db, { now: clock.now(), log });
  await finishApplies(db, events, clock.now());
  await applyFolder(options.policiesDir, { db, events, clock, log, progress });
  const policies = stack.adopt(await openPolicies(db, { log }), (open) => open.close());
  const services = servicesOf(policies);

  const pipeline = stack.adopt(
    openPipelineWatch({ counters: { snapshot: () => ({ received: 0, accepted: 0, steps: [], drops: [], inbox: { rows: 0, lagMs: null } }), reasons: {} }, tenants: () => policies.tenants(), clock }),
    (open) => open.close(),
  );
  const operator = openOperator(operatorStore(db), clock);
  const app = createApp({
    log,
    version: readVersion(root),
    domains: [],
    hosts: HOSTS,
    operator,
    clock,
    services,
    ready: async () => ({
      postgresql: await answers(db.sql`select 1`),
      clickhouse: await answers(events.ping()),
    }),
    gpcSince: '2026-11-21',
    securityContacts: [SECURITY_CONTACT],
    promises: openPromises({ catalogue: controlCatalogue, built: new Set() }),
    dataMap: openDataMap({ counters: [eventRowCounter(events)], clock }),
    pipeline,
    renderPolicy: ({ policy }, format) => renderPolicy(policy, { format }),
    consoleDir: join(root, 'console', 'dist'),
    problemsDir: join(root, 'docs', 'problems'),
  });
  const certificate = await localCertificate(join(config.dataDir, 'tls'), clock.now());
  const host = '127.0.0.1';
  const plain = await listen({ app, port: config.httpPort, host });
  stack.defer(() => plain.close());
  const tls = { key: certificate.key, cert: certificate.chain };
  const secure = await listen({ app, port: config.httpsPort, host, tls });
  stack.defer(() => secure.close());

  const link = await operator.newLink();
  const { cookie } = await operator.enter(await operator.newLink());
  const url = `http://localhost:${plain.port}`;
  const development: Development = {
    url,
    secureUrl: `https://localhost:${secure.port}`,
    operatorLink: `${url}/operator?token=${link}`,
    operatorToken: cookie,
    writeKeys: {},
  };
  const kept = JSON.stringify(development, null, 2);
  writeFileSync(join(config.dataDir, 'development.json'), `${kept}\n`, { mode: 0o600 });
  return { development, greeting: greetingOf(development), close: () => stack.disposeAsync() };
}

function owned(stack: AsyncDisposableStack, engine: { url: string; stop(): Promise<void> }) {
  stack.defer(() => engine.stop());
  return engine.url;
}

const answers = (asked: PromiseLike<unknown>): Promise<boolean> =>
  Promise.resolve(asked).then(
    () => true,
    () => false,
  );

function readVersion(root: string): string {
  const text = readFileSync(join(root, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function greetingOf(development: Development): string {
  const keys = Object.entries(development.writeKeys).map(
    ([tenant, key]) => `  ${tenant.padEnd(12)} ${key}`,
  );
  return [
    '',
    `Troth is ready:       ${development.url}`,
    `Operator’s link, once: ${development.operatorLink}`,
    `TLS 1.3:              ${development.secureUrl}`,
    '',
    'Write keys (also in development.json):',
    ...keys,
  ].join('\n');
}
