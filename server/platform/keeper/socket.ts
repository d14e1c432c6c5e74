/**
 * The keeper's socket: who is connected, which calls share a commit, and which do not.
 *
 * A destruction is answered only after every connected server has dropped its copies, or was cut
 * off for not saying so: a server that loses its connection forgets every key.
 */
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import type { Custody } from './custody.ts';
import { keeperProblem } from './errors.ts';
import { GroupCommit, type Waiting } from './group-commit.ts';
import type { Keyring } from './keyring.ts';
import { Peer } from './peer.ts';
import { type Call, type Frame, frameReader } from './protocol.ts';

/** Longer paths stop bind(2) on Linux at 107 bytes, on macOS at 103. */
export const SOCKET_PATH_BYTES_MAX = 103;
const ROTATE_AGAIN_MS = 1_000;

export type KeeperSocket = { close(): Promise<void> };

/** Listens, and carries on a rotation that was cut off. @throws Problem keyring-refused. */
export async function serveKeeper(
  given: { keyring: Keyring; custody: Custody },
  path: string,
): Promise<KeeperSocket> {
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    throw keeperProblem('keyring-refused', 'the path of the socket is too long');
  }
  const doorman = new Doorman(given);
  const server = createServer((socket) => doorman.admit(socket));
  if (!given.custody.rotation.step()) doorman.rotateOn();
  // The keyring's lock is held by now, so a socket that is left belongs to a dead keeper.
  if (existsSync(path)) rmSync(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return {
    async close() {
      doorman.cutOffAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

class Doorman {
  readonly #custody: Custody;
  readonly #group: GroupCommit;
  readonly #peers = new Set<Peer>();
  #rotating = false;

  constructor(given: { keyring: Keyring; custody: Custody }) {
    this.#custody = given.custody;
    this.#group = new GroupCommit(given, this.#peers);
  }

  admit(socket: Socket): void {
    const peer = new Peer(socket);
    this.#peers.add(peer);
    const read = frameReader((frame) => this.#receive(peer, frame));
    socket.on('data', (chunk) => {
      try {
        read(chunk);
      } catch {
        peer.cutOff();
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#peers.delete(peer);
      peer.gone();
    });
  }

  cutOffAll(): void {
    for (const peer of this.#peers) peer.cutOff();
  }

  /** A batch of keys, then a turn for whoever waits, until nothing is left. */
  rotateOn(): void {
    if (this.#rotating) return;
    this.#rotating = true;
    setImmediate(() => this.#rotateStep());
  }

  #rotateStep(): void {
    try {
      this.#rotating = !this.#custody.rotation.step();
    } catch {
      // Out of disk, perhaps: the state is in the keyring, and another try may go through.
      setTimeout(() => this.#rotateStep(), ROTATE_AGAIN_MS).unref();
      return;
    }
    if (this.#rotating) setImmediate(() => this.#rotateStep());
  }

  #receive(peer: Peer, frame: Frame): void {
    if (frame.kind === 'evicted') peer.heard(frame.id);
    if (frame.kind !== 'ask') return;
    const waiting: Waiting = { peer, id: frame.id, call: frame.call, ask: frame.ask };
    try {
      if (!this.#isAnswered(waiting)) this.#group.add(waiting);
    } catch (error) {
      peer.refuse(waiting.id, error);
    }
  }

  /** Calls that do not share a transaction are answered at once. */
  #isAnswered({ peer, id, call, ask }: Waiting): boolean {
    const { at = 0, listen = false } = ask as { at?: number; listen?: boolean };
    const direct: { [C in Call]?: () => unknown } = {
      hello: () => {
        // Never taken back: who has asked to be told holds keys until the connection ends.
        peer.listens ||= listen;
        return this.#custody.identity();
      },
      status: () => this.#custody.status(this.#peers.size),
      recovery: () => this.#custody.makeRecovery(),
      rotate: () => this.#custody.rotate(at),
    };
    const act = direct[call];
    if (!act) return false;
    peer.send({ kind: 'answer', id, answer: act() });
    if (call === 'rotate') this.rotateOn();
    return true;
  }
}
