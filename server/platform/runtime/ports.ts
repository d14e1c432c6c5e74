import { createServer } from 'node:net';
import { runtimeProblem } from './errors.ts';

// Below the range that the kernel hands to outgoing connections, so that a child that is started
// again finds its port free.
const PORT_MIN = 20_000;
const PORT_MAX = 31_999;
const ATTEMPTS_MAX = 200;

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * A free port on loopback.
 *
 * @throws Problem port-taken when 200 tries found none.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));
    if (await isFree(port, host)) return port;
  }
  throw runtimeProblem('port-taken', 'no free port between 20000 and 31999 on loopback');
}

/**
 * Looks whether a port can be listened on; 0 always can.
 *
 * @throws Problem port-taken, with a sentence that says what to do.
 */
export async function checkPort(port: number, host = '127.0.0.1'): Promise<void> {
  if (port === 0 || (await isFree(port, host))) return;
  throw runtimeProblem(
    'port-taken',
    `port ${port} belongs to another program. Stop that one, or choose another port ` +
      '(TROTH_HTTP_PORT, TROTH_HTTPS_PORT).',
  );
}
