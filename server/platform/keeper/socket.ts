/**
 * The keeper's socket: calls that arrive while a commit runs share the next one (group commit).
 *
 * A destruction is answered only after every connected server has dropped its copies, or was cut
 * off for not saying so: a server that loses its connection forgets every key.
 */
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { Problem } from '#base/problem';
import type { Custody, Done } from './custody.ts';
import { keeperProblem } from './errors.ts';
import type { Keyring } from './keyring.ts';
import { type Call, type Evict, encodeFrame, type Frame, frameReader } from './protocol.ts';

const ACKNOWLEDGE_MS = 2_000;
const GROUP_CALLS_MAX = 512;
/** Longer paths stop bind(2) on Linux at 107 bytes, on macOS at 103. */
export const SOCKET_PATH_BYTES_MAX = 103;

type Peer = { socket: Socket; listens: boolean; waiting: Map<number, (heard: boolean) => void> };
type Waiting = { peer: Peer; id: number; call: Call; ask: unknown };

export type KeeperSocket = { close(): Promise<void> };

export function serveKeeper(
  { keyring, custody }: { keyring: Keyring; custody: Custody },
  path: string,
): Promise<KeeperSocket> {
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    throw keeperProblem('keyring-refused', 'the path of the socket is too long');
  }
  const peers = new Set<Peer>();
  let queue: Waiting[] = [];
  let scheduled = false;
  let rotating = false;
  let evictions = 0;

  const send = (peer: Peer, frame: Frame) => {
    if (!peer.socket.destroyed) peer.socket.write(encodeFrame(frame));
  };
  const refuse = ({ peer, id }: Waiting, error: unknown) => {
    const known = error instanceof Problem;
    const code = known ? error.code : 'keeper-unavailable';
    const detail = known ? error.detail : 'the keyring could not be written';
    send(peer, { kind: 'refusal', id, code, detail });
  };

  function askToForget(peer: Peer, evict: Evict): Promise<boolean> {
    evictions += 1;
    const id = evictions;
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(false), ACKNOWLEDGE_MS);
      const settle = (heard: boolean) => {
        clearTimeout(timer);
        peer.waiting.delete(id);
        if (!heard) peer.socket.destroy();
        resolve(heard);
      };
      peer.waiting.set(id, settle);
      send(peer, { kind: 'evict', id, evict });
    });
  }

  async function answer(waiting: Waiting, { answer: body, evict }: Done): Promise<void> {
    const { peer, id } = waiting;
    if (evict.length === 0) return send(peer, { kind: 'answer', id, answer: body });
    const heard = await Promise.all(
      [...peers]
        .filter(({ listens }) => listens)
        .flatMap((listener) => evict.map((what) => askToForget(listener, what))),
    );
    const acknowledged = heard.filter(Boolean).length;
    const counted = { acknowledged, cutOff: heard.length - acknowledged };
    send(peer, { kind: 'answer', id, answer: { ...(body as object), ...counted } });
  }

  /** One call that fails rolls the group back; then each is tried alone, so one harms no other. */
  function commitGroup(group: Waiting[]): void {
    try {
      const results = keyring.commit(() =>
        group.map(({ call, ask }) => custody.perform(call, ask as never)),
      );
      for (const [index, result] of results.entries()) {
        void answer(group[index] as Waiting, result);
      }
    } catch (error) {
      if (group.length === 1) refuse(group[0] as Waiting, error);
      else for (const waiting of group) commitGroup([waiting]);
    }
  }

  function flush(): void {
    scheduled = false;
    const group = queue.slice(0, GROUP_CALLS_MAX);
    queue = queue.slice(GROUP_CALLS_MAX);
    if (group.length > 0) commitGroup(group);
    if (queue.length > 0) schedule();
  }
  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  }

  /** A batch of keys, then a turn for whoever waits. */
  function carryOn(): void {
    try {
      rotating = !custody.rotation.step();
    } catch {
      // Out of disk, perhaps: the state is in the keyring, and another try may go through.
      setTimeout(carryOn, 1_000).unref();
      return;
    }
    if (rotating) setImmediate(carryOn);
  }
  function startRotation(): void {
    if (rotating) return;
    rotating = true;
    setImmediate(carryOn);
  }

  /** Calls that do not share a transaction. */
  function direct({ peer, id, call, ask }: Waiting): boolean {
    const reply = (body: unknown) => send(peer, { kind: 'answer', id, answer: body });
    const { at = 0, listen = false } = ask as { at?: number; listen?: boolean };
    if (call === 'hello') {
      peer.listens = listen;
      reply(custody.identity());
    } else if (call === 'status') reply(custody.status(peers.size));
    else if (call === 'recovery') reply(custody.makeRecovery());
    else if (call === 'rotate') {
      reply(custody.rotate(at));
      startRotation();
    } else return false;
    return true;
  }

  function receive(peer: Peer, frame: Frame): void {
    if (frame.kind === 'evicted') peer.waiting.get(frame.id)?.(true);
    if (frame.kind !== 'ask') return;
    const waiting: Waiting = { peer, id: frame.id, call: frame.call, ask: frame.ask };
    try {
      if (direct(waiting)) return;
    } catch (error) {
      refuse(waiting, error);
      return;
    }
    queue.push(waiting);
    schedule();
  }

  function admit(socket: Socket): void {
    const peer: Peer = { socket, listens: false, waiting: new Map() };
    peers.add(peer);
    const read = frameReader((frame) => receive(peer, frame));
    socket.on('data', (chunk) => {
      try {
        read(chunk);
      } catch {
        socket.destroy();
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      peers.delete(peer);
      // Losing the socket makes a server forget everything, which is as good as its word.
      for (const settle of [...peer.waiting.values()]) settle(true);
    });
  }

  const server = createServer(admit);
  if (!custody.rotation.step()) startRotation();
  return listen(server, path, peers);
}

/** The keyring's lock is held by now, so a socket that is left belongs to a dead keeper. */
async function listen(server: Server, path: string, peers: Set<Peer>): Promise<KeeperSocket> {
  if (existsSync(path)) rmSync(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return {
    async close() {
      for (const { socket } of peers) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
