import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Problem } from '#base/problem';
import { keeperProblem } from './errors.ts';
import {
  type Answer,
  type Ask,
  type Call,
  type Evict,
  encodeFrame,
  type Frame,
  frameReader,
} from './protocol.ts';

const CONNECT_EVERY_MS = 20;

export type Keeper = {
  /**
   * Asks once, and again while the keeper starts anew: every call may be repeated without harm.
   *
   * @throws Problem keeper-unavailable after `deadlineMs`, or what the keeper refused with.
   */
  call<C extends Call>(call: C, ask: Ask<C>): Promise<Answer<C>>;
  /** Called before a destruction is answered; the keeper waits until it has resolved. */
  onEvict(listener: (evict: Evict) => void | Promise<void>): void;
  /** Called when the connection is lost: destructions may have been missed; forget everything. */
  onLost(listener: () => void): void;
  close(): void;
};

type Open = { resolve: (answer: unknown) => void; reject: (error: Error) => void };

function refusal(code: string, detail: string): Problem {
  const known = code in keeperProblem.table;
  const name = known ? (code as keyof typeof keeperProblem.table) : 'keeper-unavailable';
  const passes = keeperProblem.table[name].status === 503;
  return keeperProblem(name, detail, passes ? { retryAfterSeconds: RETRY_SECONDS } : {});
}

/** A disk that is full or a copy that is out of reach: somebody has to see to it first. */
const RETRY_SECONDS = 10;
const LOST = new Error('the connection to the keeper was lost');

/** Connects when first asked; holds one connection. `deadlineMs` bounds each call. */
export function openKeeper(path: string, { deadlineMs = 5_000 } = {}): Keeper {
  const line = new Line(path);
  return {
    async call(call, ask) {
      const deadline = Date.now() + deadlineMs;
      for (;;) {
        const answered = await within(deadline, line.ask(call, ask));
        if (answered) return answered.answer;
        if (Date.now() + CONNECT_EVERY_MS >= deadline) {
          throw keeperProblem('keeper-unavailable', 'no answer in time', { retryAfterSeconds: 1 });
        }
        await wait(CONNECT_EVERY_MS);
      }
    },
    onEvict: (listener) => void line.evictListeners.push(listener),
    onLost: (listener) => void line.lostListeners.push(listener),
    close: () => line.close(),
  };
}

/** Undefined when it came too late, or failed in a way that another try may mend. */
async function within<A>(deadline: number, asked: Promise<A>): Promise<{ answer: A } | undefined> {
  const timer = new AbortController();
  const late = wait(Math.max(1, deadline - Date.now()), undefined, { signal: timer.signal });
  try {
    return await Promise.race([asked.then((answer) => ({ answer })), late.catch(() => undefined)]);
  } catch (error) {
    if (error instanceof Problem) throw error;
    return undefined;
  } finally {
    timer.abort();
  }
}

/** The one connection, and the calls that wait for an answer on it. */
class Line {
  readonly #path: string;
  readonly #open = new Map<number, Open>();
  readonly evictListeners: ((evict: Evict) => void | Promise<void>)[] = [];
  readonly lostListeners: (() => void)[] = [];
  #connection: Promise<Socket> | undefined;
  #last = 0;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** The socket does not keep a process alive by itself; a call under way does. */
  async ask<C extends Call>(call: C, ask: Ask<C>): Promise<Answer<C>> {
    const socket = await this.#connected();
    socket.ref();
    try {
      return await this.#send(socket, call, ask);
    } finally {
      if (this.#open.size === 0) socket.unref();
    }
  }

  close(): void {
    this.#closed = true;
    void this.#connection?.then((socket) => socket.destroy()).catch(() => undefined);
  }

  #connected(): Promise<Socket> {
    if (this.#closed) return Promise.reject(keeperProblem('keeper-unavailable', 'it was closed'));
    if (!this.#connection) {
      this.#connection = this.#dial();
      this.#connection.catch(() => {
        this.#connection = undefined;
      });
    }
    return this.#connection;
  }

  async #dial(): Promise<Socket> {
    const socket = connect(this.#path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const read = frameReader((frame) => this.#receive(socket, frame));
    socket.on('data', (chunk) => {
      try {
        read(chunk);
      } catch {
        socket.destroy();
      }
    });
    socket.on('error', () => undefined);
    socket.once('close', () => this.#lose());
    socket.unref();
    // First of all frames: from here on every destruction is announced to us.
    await this.#send(socket, 'hello', { listen: true });
    return socket;
  }

  #send<C extends Call>(socket: Socket, call: C, ask: Ask<C>): Promise<Answer<C>> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve: resolve as (answer: unknown) => void, reject });
      socket.write(encodeFrame({ kind: 'ask', id, call, ask }));
    });
  }

  #receive(socket: Socket, frame: Frame): void {
    if (frame.kind === 'evict') {
      // An answer read just before may be on its way into a cache (microtasks): it goes first.
      // A listener that fails leaves the word unsaid: the keeper cuts us off, and we forget all.
      setImmediate(() => void this.#forget(socket, frame).catch(() => undefined));
      return;
    }
    if (frame.kind !== 'answer' && frame.kind !== 'refusal') return;
    const waiting = this.#open.get(frame.id);
    this.#open.delete(frame.id);
    if (frame.kind === 'answer') waiting?.resolve(frame.answer);
    else waiting?.reject(refusal(frame.code, frame.detail));
  }

  async #forget(socket: Socket, frame: Extract<Frame, { kind: 'evict' }>): Promise<void> {
    for (const listener of this.evictListeners) await listener(frame.evict);
    socket.write(encodeFrame({ kind: 'evicted', id: frame.id }));
  }

  #lose(): void {
    this.#connection = undefined;
    for (const listener of this.lostListeners) listener();
    for (const { reject } of this.#open.values()) reject(LOST);
    this.#open.clear();
  }
}
