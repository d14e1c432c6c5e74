/** Where a proof waits to be told: an address on this machine, as a webhook's receiver is one. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Look } from '#core/looking';

const TOLD_WITHIN_MS = 12_000;
/** Whatever else is told is told at once after it. */
const AND_MORE_MS = 500;
const LOOK_EVERY_MS = 50;
const BODY_MAX = 16_384;

/** What an alert about late demands says. */
export type Told = {
  readonly kind: unknown;
  readonly tenant: unknown;
  readonly demands: unknown;
  readonly dueAt: number;
};

function read(body: string): Told {
  const { type, data = {} } = JSON.parse(body) as {
    type?: unknown;
    data?: Record<string, unknown>;
  };
  const { tenant, demands, dueAt } = data;
  return { kind: type, tenant, demands, dueAt: Date.parse(String(dueAt)) };
}

export type Listener = AsyncDisposable & {
  readonly port: number;
  /** What has come once anything has; nothing after twelve seconds. */
  heard(): Promise<readonly Told[]>;
};

/** Listens until it is disposed of. */
export async function listen({ signal }: Pick<Look, 'signal'>): Promise<Listener> {
  const told: Told[] = [];
  const server = createServer((request, answer) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body = (body + chunk).slice(0, BODY_MAX);
    });
    request.on('end', () => {
      try {
        told.push(read(body));
        answer.writeHead(204).end();
      } catch {
        answer.writeHead(400).end();
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async heard() {
      const end = performance.now() + TOLD_WITHIN_MS;
      while (told.length === 0 && performance.now() < end) {
        await sleep(LOOK_EVERY_MS, undefined, { signal });
      }
      if (told.length > 0) await sleep(AND_MORE_MS, undefined, { signal });
      return told;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
