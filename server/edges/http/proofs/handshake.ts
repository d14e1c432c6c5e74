import { type ConnectionOptions, connect, type SecureVersion } from 'node:tls';
import type { Look } from '#core/looking';

const WITHIN_MS = 5_000;

export type Shaken = {
  readonly protocol: string;
  /** The group of the ephemeral key exchange; empty where the key was none. */
  readonly group: string;
  readonly resumed: boolean;
  /** What a later conversation may be resumed with. */
  readonly session: Buffer | undefined;
};

/** Versions that no client offers any more are refused by OpenSSL itself at its usual level. */
const WILLING = 'DEFAULT@SECLEVEL=0';

/** One version and nothing else, as the most willing of clients offers it. */
export const only = (version: SecureVersion): ConnectionOptions => ({
  minVersion: version,
  maxVersion: version,
  ciphers: WILLING,
});

/**
 * Shakes hands with the TLS door.
 *
 * @returns `undefined` where the two found nothing that both would speak.
 * @throws Error when nobody answered at all, or the certificate is not of the authority.
 */
export function shake(
  { tls, signal }: Look,
  offer: ConnectionOptions,
): Promise<Shaken | undefined> {
  const { host, port, authority } = tls;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, ca: authority, ...offer });
    const end = (work: () => void) => {
      socket.destroy();
      work();
    };
    let session: Buffer | undefined;
    // A session that can be resumed comes after the handshake, so an answer is waited for.
    socket.on('session', (given: Buffer) => {
      session = given;
    });
    socket.once('secureConnect', () => {
      socket.write(`HEAD / HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    });
    socket.once('data', () => {
      const { name = '' } = (socket.getEphemeralKeyInfo() ?? {}) as { name?: string };
      const protocol = socket.getProtocol() ?? '';
      const resumed = socket.isSessionReused();
      end(() => resolve({ protocol, group: name, resumed, session }));
    });
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(() => (isRefusal(error) ? resolve(undefined) : reject(error))),
    );
    socket.setTimeout(WITHIN_MS, () => end(() => reject(new Error('the TLS door is silent'))));
    signal.addEventListener('abort', () => socket.destroy(), { once: true });
  });
}

/** An alert of the other side, or a version that it closed the door at. */
const isRefusal = ({ code = '' }: NodeJS.ErrnoException) =>
  /^ERR_SSL_(TLSV1_ALERT|TLSV13_ALERT|SSLV3_ALERT|SSL\/TLS_ALERT|UNSUPPORTED_PROTOCOL)/.test(code);
