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
  return keeperProblem(
    known ? (code as keyof typeof keeperProblem.table) : 'keeper-unavailable',
    detail,
  );
}

const LOST = new Error('the connection to the keeper was lost');

/** Connects when first asked; holds one connection. `deadlineMs` bounds each call. */
export function openKeeper(path: string, { deadlineMs = 5_000 } = {}): Keeper {
  const open = new Map<number, Open>();
  const evictListeners: ((evict: Evict) => void | Promise<void>)[] = [];
  const lostListeners: (() => void)[] = [];
  let connection: Promise<Socket> | undefined;
  let last = 0;
  let closed = false;

  async function forget(socket: Socket, frame: Extract<Frame, { kind: 'evict' }>): Promise<void> {
    for (const listener of evictListeners) await listener(frame.evict);
    socket.write(encodeFrame({ kind: 'evicted', id: frame.id }));
  }

  function receive(socket: Socket, frame: Frame): void {
    if (frame.kind === 'evict') {
      // An answer read just before may be on its way into a cache (microtasks): it goes first.
      // A listener that fails leaves the word unsaid: the keeper cuts us off, and we forget all.
      setImmediate(() => void forget(socket, frame).catch(() => undefined));
      return;
    }
    if (frame.kind !== 'answer' && frame.kind !== 'refusal') return;
    const waiting = open.get(frame.id);
    open.delete(frame.id);
    if (frame.kind === 'answer') waiting?.resolve(frame.answer);
    else waiting?.reject(refusal(frame.code, frame.detail));
  }

  function lose(): void {
    connection = undefined;
    for (const listener of lostListeners) listener();
    for (const { reject } of open.values()) reject(LOST);
    open.clear();
  }

  function send<C extends Call>(socket: Socket, call: C, ask: Ask<C>): Promise<Answer<C>> {
    last += 1;
    const id = last;
    return new Promise((resolve, reject) => {
      open.set(id, { resolve: resolve as (answer: unknown) => void, reject });
      socket.write(encodeFrame({ kind: 'ask', id, call, ask }));
    });
  }

  async function dial(): Promise<Socket> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const read = frameReader((frame) => receive(socket, frame));
    socket.on('data', (chunk) => {
      try {
        read(chunk);
      } catch {
        socket.destroy();
      }
    });
    socket.on('error', () => undefined);
    socket.once('close', lose);
    socket.unref();
    // First of all frames: from here on every destruction is announced to us.
    await send(socket, 'hello', { listen: true });
    return socket;
  }

  function connected(): Promise<Socket> {
    if (closed) return Promise.reject(keeperProblem('keeper-unavailable', 'it was closed'));
    if (!connection) {
      connection = dial();
      connection.catch(() => {
        connection = undefined;
      });
    }
    return connection;
  }

  /** The socket does not keep a process alive by itself; a call under way does. */
  async function attempt<C extends Call>(call: C, ask: Ask<C>): Promise<Answer<C>> {
    const socket = await connected();
    socket.ref();
    try {
      return await send(socket, call, ask);
    } finally {
      if (open.size === 0) socket.unref();
    }
  }

  return {
    async call(call, ask) {
      const deadline = Date.now() + deadlineMs;
      for (;;) {
        const timer = new AbortController();
        const late = wait(Math.max(1, deadline - Date.now()), 'late' as const, {
          signal: timer.signal,
        }).catch(() => 'late' as const);
        try {
          const first = await Promise.race([attempt(call, ask).then((a) => ({ a })), late]);
          if (first !== 'late') return first.a;
        } catch (error) {
          if (error instanceof Problem) throw error;
        } finally {
          timer.abort();
        }
        if (Date.now() + CONNECT_EVERY_MS >= deadline) {
          throw keeperProblem('keeper-unavailable', 'no answer in time', { retryAfterSeconds: 1 });
        }
        await wait(CONNECT_EVERY_MS);
      }
    },
    onEvict: (listener) => void evictListeners.push(listener),
    onLost: (listener) => void lostListeners.push(listener),
    close() {
      closed = true;
      void connection?.then((socket) => socket.destroy()).catch(() => undefined);
    },
  };
}
