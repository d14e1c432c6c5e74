/** What many senders can make the server hold together. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { useWorld } from '#testing/world';
import { type Door, openDoor } from './testing/small-world.ts';

const KB = 1_024;
let door: Door;
const world = useWorld({
  setUp: async (opened) => {
    door = await openDoor(opened);
  },
});
after(() => door?.close());

type Half = { socket: Socket; answer: Promise<string> };

/** Begins a body of `declared` bytes, sends `sent` of them and waits for what is answered. */
function begin({ key, declared, sent }: { key?: string; declared: number; sent: number }): Half {
  const { port, hostname } = new URL(door.url);
  const socket = connect(Number(port), hostname);
  const answer = new Promise<string>((resolve) => {
    let text = '';
    socket.on('data', (piece) => {
      text += String(piece);
      resolve(text);
    });
    socket.on('close', () => resolve(text));
    socket.on('error', () => resolve(text));
  });
  const bearer = key ? `authorization: Bearer ${key}\r\n` : '';
  socket.write(
    `POST /v1/batch HTTP/1.1\r\nhost: x\r\n${bearer}content-type: application/json\r\n` +
      `content-length: ${declared}\r\n\r\n`,
  );
  socket.write(Buffer.alloc(sent, 0x20));
  return { socket, answer };
}

const statusOf = (answer: string) => Number(answer.split(' ')[1]);

test('without a key in a header no more is taken than a beacon may hold', async () => {
  const large = begin({ declared: 65 * KB, sent: 65 * KB });
  const answer = await large.answer;
  assert.equal(statusOf(answer), 413);
  assert.match(answer, /send the key in a header/);
  const key = door.pageKeyOf(world.tenant);
  const body = (bytes: number) => {
    const frame = { batch: [{ event: 'used' }], writeKey: key, pad: '' };
    return JSON.stringify({ ...frame, pad: 'x'.repeat(bytes - JSON.stringify(frame).length) });
  };
  const send = (bytes: number) => door.send('/v1/batch', body(bytes), { key: '' });
  assert.equal((await send(64 * KB)).status, 200);
  assert.equal((await send(64 * KB + 1)).status, 413);
});

test('what all bodies hold together is bounded piece by piece, and given back', async () => {
  const key = door.keyOf(world.tenant);
  const halves = Array.from({ length: 300 }, () =>
    begin({ key, declared: 500 * KB, sent: 400 * KB }),
  );
  const refused: string[] = [];
  for (const { answer } of halves) void answer.then((text) => text && refused.push(text));
  for (let waited = 0; refused.length < 137 && waited < 10_000; waited += 50) {
    await new Promise((done) => setTimeout(done, 50));
  }
  // 64 MiB hold 163 of them; the others are sent away.
  assert.ok(refused.length >= 130 && refused.length <= 160, `${refused.length} were refused`);
  assert.ok(refused.every((text) => statusOf(text) === 503));
  assert.ok(refused.every((text) => /^retry-after: \d+\r$/im.test(text)));
  for (const { socket } of halves) socket.destroy();
  for (let waited = 0; ; waited += 50) {
    const { status } = await door.send('/v1/track', { event: 'used' });
    if (status === 200) break;
    assert.ok(waited < 5_000, 'the room is not given back');
    await new Promise((done) => setTimeout(done, 50));
  }
});
