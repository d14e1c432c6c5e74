import { request } from 'node:https';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, span } from '#core/promises';

const WITHIN_MS = 3_000;
/** A name that people reach a service by; on loopback the header is kept short, or it would bind
 * the ports of all other programs too. */
const SERVICE_NAME = 'service.example';
const LOOPBACK_NAME = 'localhost';
/** Half a year: who comes back less often than that may be led to the port in clear. */
const STRICT_SECONDS_MIN = 180 * 86_400;

/** Whether anybody takes a connection there. */
const answersAt = (host: string, port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ host, port });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.setTimeout(WITHIN_MS, () => end(false));
  });

/** Seconds that a browser keeps to TLS after this answer; `undefined` where it said nothing. */
const strictSeconds = ({ tls, signal }: Look, hostname: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    const { host, port, authority } = tls;
    // By address, whatever name it is asked under.
    const asked = request(
      {
        host,
        port,
        ca: authority,
        servername: host,
        path: '/healthz',
        signal,
        headers: { host: hostname },
      },
      (answer) => {
        answer.resume();
        const header = answer.headers['strict-transport-security'] ?? '';
        const seconds = /max-age=(\d+)/.exec(header)?.[1];
        resolve(seconds === undefined ? undefined : Number(seconds));
      },
    );
    asked.once('error', reject);
    asked.end();
  });

export const httpsOnly = defineProof({
  control: 'web.https-only',
  strength: 'protocol',
  blindTo:
    'Programs on this very machine, which the development port on loopback answers in clear.',
  async prove(at) {
    const outside = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(
        ({ internal, family, address }) =>
          !internal && (family === 'IPv4' || !address.startsWith('fe80')),
      );
    if (outside.length === 0)
      return gap(saw`this machine has no address that a network could reach`);
    if (!(await answersAt(at.plain.host, at.plain.port)))
      return gap(saw`the plain port does not answer, so nothing can be concluded from a refusal`);
    const open = await Promise.all(outside.map(({ address }) => answersAt(address, at.plain.port)));
    const reached = open.filter(Boolean).length;
    if (reached > 0)
      return broken(saw`${reached} of ${open.length} addresses of the network answer in clear`);
    const here = await strictSeconds(at, LOOPBACK_NAME);
    const seconds = await strictSeconds(at, SERVICE_NAME);
    if (seconds === undefined || here === undefined)
      return broken(saw`over TLS, browsers are not told to keep to it`);
    if (seconds < STRICT_SECONDS_MIN || here <= 0)
      return broken(
        saw`over TLS browsers are told to keep to it for ${span(seconds * 1_000)} only, on this machine for ${span(here * 1_000)}`,
      );
    return kept(
      saw`0 of ${open.length} addresses of the network answer without encryption; over TLS browsers are told to keep to it for ${span(seconds * 1_000)}`,
    );
  },
});
