/** As little of a webhook receiver and of a mail server as an alert needs; each a real socket. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcp } from 'node:net';

export type Got = { readonly headers: Record<string, unknown>; readonly body: string };

/**
 * Takes what is posted to it.
 *
 * @param statuses  what it answers, in turn; 204 from then on.
 */
export async function openReceiver({
  statuses = [],
  port = 0,
}: {
  statuses?: number[];
  port?: number;
}) {
  const got: Got[] = [];
  const server = createServer((request, answer) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      got.push({ headers: request.headers, body });
      answer.writeHead(statuses.shift() ?? 204, { location: 'http://localhost:1/' }).end();
    });
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const at = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { got, port: at.port, url: `http://127.0.0.1:${at.port}/hook`, close };
}

/** Takes letters, or refuses the one they are for. */
export async function openPostOffice({ refuses = false } = {}) {
  const letters: string[] = [];
  const server = createTcp((socket) => {
    let letter: string | undefined;
    let rest = '';
    const say = (line: string) => socket.write(`${line}\r\n`);
    say('220 post.office');
    socket.on('error', () => undefined);
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (letter !== undefined) {
          if (line !== '.') letter += `${line.replace(/^\.\./, '.')}\n`;
          else {
            letters.push(letter);
            letter = undefined;
            say('250 taken');
          }
        } else if (/^(ehlo|helo|mail)/i.test(line)) say('250 post.office');
        else if (/^rcpt/i.test(line)) say(refuses ? '550 nobody@here.example' : '250 known');
        else if (/^data/i.test(line)) {
          letter = '';
          say('354 go on');
        } else if (/^quit/i.test(line)) socket.end('221 bye\r\n');
        else say('250 well');
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { letters, url: `smtp://127.0.0.1:${port}`, close: () => server.close() };
}
