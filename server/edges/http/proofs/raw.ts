import { request } from 'node:http';
import type { Look } from '#core/looking';

export type Answered = {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  /** In how many seconds to ask again; `undefined` where the answer does not say so. */
  readonly retryAfter: number | undefined;
};

const WITHIN_MS = 10_000;

const secondsIn = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : undefined;

/**
 * A request whose headers and path go out as they are given: what a browser sends when somebody
 * follows a link, and what no well-behaved client would send.
 */
export function ask(
  { plain, signal }: Look,
  path: string,
  more: { method?: string; headers?: Record<string, string>; body?: object } = {},
): Promise<Answered> {
  const { method = 'GET', headers = {}, body } = more;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const type = text === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: plain.host,
        port: plain.port,
        method,
        path,
        signal,
        timeout: WITHIN_MS,
        headers: { ...type, ...headers },
      },
      (answer) => {
        let got = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          got += part;
        });
        answer.once('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            type: answer.headers['content-type'] ?? '',
            text: got,
            retryAfter: secondsIn(answer.headers['retry-after']),
          }),
        );
        answer.once('error', reject);
      },
    );
    asked.once('error', reject);
    asked.once('timeout', () => asked.destroy(new Error('no answer')));
    asked.end(text);
  });
}
