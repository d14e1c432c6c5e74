/** The sockets: one server for each port, with limits on everything a stranger can make long. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Edge } from './edge.ts';
import { httpProblem } from './errors.ts';
import { SECURITY_HEADERS } from './headers.ts';

/** Takes a request before Hono does; false leaves it to Hono. */
export type FastPath = (request: IncomingMessage, response: ServerResponse) => boolean;

export type ListenerOptions = {
  app: Hono<Edge>;
  /** 0 takes a free port. */
  port: number;
  host: string;
  fastPath?: FastPath;
  /** PEM. With it the listener speaks TLS 1.3 and nothing older. */
  tls?: { key: string; cert: string };
};

export type Listener = { port: number; close(): Promise<void> };

const LIMITS = {
  maxHeaderSize: 16 * 1_024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
  noDelay: true,
} as const;
const HEADERS_MAX = 64;
const CLOSE_WITHIN_MS = 1_000;

const BROKEN_STATUS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

const PROBLEM_HEADERS = { ...SECURITY_HEADERS, 'content-type': 'application/problem+json' };

const brokenBody = (status: number, detail: string) =>
  JSON.stringify({ ...httpProblem('request-broken', detail).toJSON(), status });

/** What is not HTTP gets an answer too, and the connection is closed. */
function refuseBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const line = BROKEN_STATUS[error.code ?? ''] ?? '400 Bad Request';
  const detail = 'It is not HTTP, or its headers are too long or too slow.';
  const body = brokenBody(Number(line.slice(0, 3)), detail);
  const lines = Object.entries(PROBLEM_HEADERS).map(([name, value]) => `${name}: ${value}`);
  const head = [`HTTP/1.1 ${line}`, ...lines, `content-length: ${Buffer.byteLength(body)}`];
  socket.end(`${head.join('\r\n')}\r\nconnection: close\r\n\r\n${body}`);
}

/** What is HTTP and has no address that can be read: a host or a path that is none. */
function answerBroken(): Response {
  const body = brokenBody(400, 'Its Host header or its path cannot be read.');
  return new Response(body, { status: 400, headers: PROBLEM_HEADERS });
}

/** Listens, and answers once the port is open. @throws Error EADDRINUSE when it is taken. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { app, fastPath, tls, port, host } = options;
  const hono = getRequestListener(app.fetch, { errorHandler: answerBroken });
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    if (fastPath?.(request, response)) return;
    void hono(request, response);
  };
  const server = tls
    ? createTlsServer({ ...LIMITS, ...tls, minVersion: 'TLSv1.3' }, onRequest)
    : createServer(LIMITS, onRequest);
  server.maxHeadersCount = HEADERS_MAX;
  server.on('clientError', refuseBroken);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), CLOSE_WITHIN_MS);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}
