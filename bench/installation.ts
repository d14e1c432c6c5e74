/** A server on engines of its own, all on one core or on all, in a scratch folder. */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Events, openEvents } from '../server/platform/events/index.ts';
import { type RunningServer, startRunning } from '../server/testing/running.ts';
import { firstLine, type LoadJob, load, startNode } from './rig.ts';

export type Installation = {
  readonly server: RunningServer;
  readonly urls: { readonly postgres: string; readonly clickhouse: string };
  /** The event store, asked beside the server. */
  readonly events: Events;
  readonly roots: readonly number[];
  readonly folder: string;
  /** Sends each tenant's bodies; from the other core when the installation is pinned to one. */
  send(
    bodies: Readonly<Record<string, readonly string[]>>,
    job: Omit<LoadJob, 'port' | 'requests'>,
  ): ReturnType<typeof load>;
  close(): Promise<void>;
};

/**
 * The five policies with the limits on senders lifted: they would stop the load, as they should.
 *
 * @param service  The one to lift them of; default all.
 */
export function policiesWithoutLimits(folder: string, service = ''): string {
  const from = join(import.meta.dirname, '..', 'policies');
  for (const file of readdirSync(from).filter((name) => /\.(yaml|md)$/.test(name))) {
    const text = readFileSync(join(from, file), 'utf8');
    if (!file.startsWith(service)) {
      writeFileSync(join(folder, file), text);
      continue;
    }
    const lifted = text
      .replaceAll(/events-per-second: \d+/g, 'events-per-second: 10000000')
      .replaceAll(/requests-per-minute: \d+/g, 'requests-per-minute: 600000000');
    writeFileSync(join(folder, file), lifted);
  }
  return folder;
}

/** @param writePolicies  Fills the folder with the policies to apply. */
export async function install(options: {
  core?: number;
  writePolicies?: (folder: string) => string;
}): Promise<Installation> {
  const { core, writePolicies = policiesWithoutLimits } = options;
  const folder = mkdtempSync(join(tmpdir(), 'troth-bench-'));
  const policies = writePolicies(mkdtempSync(join(folder, 'policies-')));
  const engines = startNode(['bench/engines-process.ts', join(folder, 'engines')], core);
  const urls = JSON.parse(await firstLine(engines)) as Installation['urls'];
  const server = await startRunning({
    folder,
    args: ['--policies', policies],
    env: { TROTH_POSTGRES_URL: urls.postgres, TROTH_CLICKHOUSE_URL: urls.clickhouse },
    ...(core !== undefined && { core }),
  });
  const events = openEvents(urls.clickhouse);
  return {
    server,
    urls,
    events,
    folder,
    roots: [server.child.pid ?? 0, engines.pid ?? 0],
    send: (bodies, job) =>
      load({
        port: Number(new URL(server.url).port),
        requests: Object.entries(bodies).flatMap(([tenant, each]) =>
          each.map((body) => ({
            path: `/v1/t/${tenant}/${body.startsWith('{"batch"') ? 'batch' : 'track'}`,
            authorization: `Bearer ${server.writeKeys[tenant] ?? ''}`,
            body,
          })),
        ),
        core: core === undefined ? undefined : 1 - core,
        ...job,
      }),
    async close() {
      await events.close();
      await server.stop();
      engines.disconnect();
      await once(engines, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function folderBytes(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    // A part may be merged away while we count.
    bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}
