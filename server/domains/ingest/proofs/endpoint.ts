import { randomUUID } from 'node:crypto';
import { request } from 'node:https';
import { connect } from 'node:tls';
import { bearer, type Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term } from '#core/promises';

type Given = { readonly path: string; readonly body: object };
type Answer = { readonly status: number; readonly protocol: string };

/** As `curl --tlsv1.3 -X POST -H 'Authorization: Bearer …' -H 'Content-Type: application/json'`. */
function post({ tls, writeKey, signal }: Look, { path, body }: Given): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: tls.host,
        port: tls.port,
        ca: tls.authority,
        path,
        method: 'POST',
        signal,
        minVersion: 'TLSv1.3',
        headers: { ...bearer(writeKey), 'content-type': 'application/json' },
      },
      (answer) => {
        const { socket } = answer;
        const protocol =
          'getProtocol' in socket ? String((socket as never as Spoken).getProtocol()) : '';
        answer.resume().on('end', () => resolve({ status: answer.statusCode ?? 0, protocol }));
      },
    );
    asked.on('error', reject).end(JSON.stringify(body));
  });
}

type Spoken = { getProtocol(): string | null };

/** Whether the listener agrees to speak something older. */
function speaksOlder({ tls }: Look): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({
      host: tls.host,
      port: tls.port,
      ca: tls.authority,
      servername: tls.host,
      maxVersion: 'TLSv1.2',
      minVersion: 'TLSv1.2',
      timeout: 5_000,
    });
    const end = (older: boolean) => () => {
      socket.destroy();
      resolve(older);
    };
    socket.once('secureConnect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}

export const endpoint = defineProof({
  control: 'ingest.endpoint',
  strength: 'protocol',
  blindTo: 'The public name and certificate in front of this listener, where there is a proxy.',
  async prove(look, { path: bound }) {
    const path = bound as string;
    const { canaries } = look;
    const type = canaries.eventTypes.find((id) => look.policy.data[id]?.key !== 'subject');
    if (type === undefined) return gap(saw`the policy has no type for this`);
    const messageId = randomUUID();
    const event = { ...canaries.event(type, canaries.person()), messageId };
    await canaries.note(messageId);
    const { status, protocol } = await post(look, { path, body: event });
    if (status !== 200) return broken(saw`${term(path)} answered ${status} over TLS`);
    if (protocol !== 'TLSv1.3') return broken(saw`the connection spoke ${term(protocol)}`);
    if (await speaksOlder(look)) return broken(saw`the listener accepts TLS 1.2 as well`);
    const rows = await canaries.stored(type, messageId);
    if (rows.length !== 1) return broken(saw`the event sent to ${term(path)} was not stored once`);
    return kept(
      saw`the printed call to ${term(path)} was answered ${status} over ${term(protocol)}, its event is
 stored once, and TLS 1.2 was refused`,
    );
  },
});
