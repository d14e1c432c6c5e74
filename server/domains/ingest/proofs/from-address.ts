/** Requests from an address of one's own: all of 127/8 is this machine, and nobody else uses it. */
import { randomInt } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { bearer, type Look } from '#core/looking';

export type Post = {
  /** An address of this machine that the request comes from. */
  readonly from: string;
  readonly path: string;
  readonly key: string;
  readonly body: object;
};

export const ownAddress = () =>
  `127.${randomInt(2, 250)}.${randomInt(2, 250)}.${randomInt(2, 250)}`;

const placeOf = ({ plain }: Look) => ({ host: '127.0.0.1', port: plain.port });

/** Sends one request; returns its status. */
export function postFrom(look: Look, { from, path, key, body }: Post): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        ...placeOf(look),
        path,
        method: 'POST',
        localAddress: from,
        signal: look.signal,
        headers: { ...bearer(key), 'content-type': 'application/json' },
      },
      (answer) => answer.resume().on('end', () => resolve(answer.statusCode ?? 0)),
    );
    asked.on('error', reject).end(JSON.stringify(body));
  });
}

export type Burst = {
  /** How often each status was answered. */
  readonly statuses: ReadonlyMap<number, number>;
  /** What the first refusal said about coming back; undefined where it said nothing. */
  readonly retryAfter: string | undefined;
  readonly tookMs: number;
};

const AT_ONCE = 200;
const STATUS = /HTTP\/1\.1 (\d{3}) /g;

/** Sends one request over and over, many at once on one connection, until one is answered 429. */
export async function burstFrom(look: Look, post: Post, most: number): Promise<Burst> {
  const body = JSON.stringify(post.body);
  const text = [
    `POST ${post.path} HTTP/1.1`,
    `host: ${look.plain.host}:${look.plain.port}`,
    `authorization: Bearer ${post.key}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
  const socket = connect({ ...placeOf(look), localAddress: post.from });
  const began = performance.now();
  const statuses = new Map<number, number>();
  let answers = '';
  let sent = 0;
  let counted = 0;
  const wave = () => {
    const count = Math.min(AT_ONCE, most - sent);
    socket.write(text.repeat(count));
    sent += count;
  };
  socket.setEncoding('latin1');
  try {
    wave();
    for await (const piece of socket) {
      answers += String(piece);
      const seen = [...answers.matchAll(STATUS)].length;
      if (seen < sent - counted) continue;
      for (const [, status] of answers.matchAll(STATUS))
        statuses.set(Number(status), (statuses.get(Number(status)) ?? 0) + 1);
      counted = sent;
      if (statuses.has(429) || sent >= most || look.signal.aborted) break;
      answers = '';
      wave();
    }
  } finally {
    socket.destroy();
  }
  const retryAfter = /^retry-after: *(\d+)/im.exec(answers)?.[1];
  return { statuses, retryAfter, tookMs: performance.now() - began };
}
