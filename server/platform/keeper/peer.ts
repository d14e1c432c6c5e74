import type { Socket } from 'node:net';
import { Problem } from '#base/problem';
import { type Evict, encodeFrame, type Frame } from './protocol.ts';

const ACKNOWLEDGE_MS = 2_000;

/** A server that is connected, and what it was told to forget and has not yet said it has. */
export class Peer {
  readonly #socket: Socket;
  readonly #unheard = new Map<number, (heard: boolean) => void>();
  #evictions = 0;
  /** True when it holds keys, and so must be told which to forget. */
  listens = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  send(frame: Frame): void {
    if (!this.#socket.destroyed) this.#socket.write(encodeFrame(frame));
  }

  refuse(id: number, error: unknown): void {
    const known = error instanceof Problem;
    const code = known ? error.code : 'keeper-unavailable';
    const detail = known ? error.detail : 'the keyring could not be written';
    this.send({ kind: 'refusal', id, code, detail });
  }

  /** Resolves to false when it did not say so in time; it is cut off then, and forgets all. */
  askToForget(evict: Evict): Promise<boolean> {
    this.#evictions += 1;
    const id = this.#evictions;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(id, false), ACKNOWLEDGE_MS);
      this.#unheard.set(id, (heard) => {
        clearTimeout(timer);
        resolve(heard);
      });
      this.send({ kind: 'evict', id, evict });
    });
  }

  /** It says that it has forgotten. */
  heard(id: number): void {
    this.#settle(id, true);
  }

  /** Losing the socket makes a server forget everything, which is as good as its word. */
  gone(): void {
    for (const id of [...this.#unheard.keys()]) this.#settle(id, true);
  }

  cutOff(): void {
    this.#socket.destroy();
  }

  #settle(id: number, heard: boolean): void {
    const settle = this.#unheard.get(id);
    this.#unheard.delete(id);
    if (!heard) this.cutOff();
    settle?.(heard);
  }
}
