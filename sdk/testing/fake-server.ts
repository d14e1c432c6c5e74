/** The far end of the wire for tests: it answers as it is told, and keeps what it was sent. */
import type { FetchLike, KeyValueStore, PurposeState, RequestLike } from '../model.ts';

export type Sent = {
  method: string;
  path: string;
  url: string;
  // biome-ignore lint/suspicious/noExplicitAny: requests are judged member by member.
  body: any;
  request: RequestLike;
};
type Reply = { status: number; body?: unknown; headers?: Record<string, string> };

export const PURPOSES: Record<string, PurposeState> = {
  'essential-analytics': { granted: true, required: true, since: null },
  'performance-monitoring': { granted: true, required: false, since: null },
  'enhanced-insights': { granted: false, required: false, since: null },
  'error-tracking': { granted: false, required: false, since: null },
  'user-research': { granted: false, required: false, since: null },
};

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

export class FakeServer {
  readonly sent: Sent[] = [];
  readonly purposes = structuredClone(PURPOSES);
  /** Answers in place of the server's own, in order. `away` breaks the connection. */
  readonly next: { batch: (Reply | 'away')[]; consents: (Reply | 'away')[] } = {
    batch: [],
    consents: [],
  };

  readonly fetch: FetchLike = async (url, request) => {
    const path = url.replace(/^https?:\/\/[^/]+\/v1\/t\/[^/]+/, '');
    const body = request.body === undefined ? undefined : JSON.parse(request.body);
    this.sent.push({ method: request.method, path, url, body, request });
    const queue = path === '/batch' ? this.next.batch : this.next.consents;
    const reply = queue.shift() ?? this.#answer(request.method, path, body);
    if (reply === 'away') throw new TypeError('the connection broke');
    const { status, headers = {} } = reply;
    return {
      status,
      headers: { get: (name) => headers[name] ?? null },
      text: async () => (reply.body === undefined ? '' : JSON.stringify(reply.body)),
    };
  };

  // biome-ignore lint/suspicious/noExplicitAny: see above.
  #answer(method: string, path: string, body: any): Reply {
    if (path === '/batch') {
      return { status: 200, body: { success: true, accepted: body.batch.length } };
    }
    const change: Record<string, boolean> =
      body?.preferences ?? (body?.purpose ? { [body.purpose]: body.granted } : {});
    for (const [name, state] of Object.entries(this.purposes)) {
      if (path === '/consents/withdraw') state.granted = state.required;
      const said = Object.entries(change).find(([given]) => kebab(given) === name);
      if (said && !state.required) state.granted = said[1];
    }
    return {
      status: method === 'POST' && path === '/consents' ? 201 : 200,
      body: { purposes: this.purposes },
    };
  }

  batches(): Sent[] {
    return this.sent.filter(({ path }) => path === '/batch');
  }

  consents(): Sent[] {
    return this.sent.filter(({ path }) => path.startsWith('/consents'));
  }

  // biome-ignore lint/suspicious/noExplicitAny: see above.
  events(): any[] {
    return this.batches().flatMap(({ body }) => body.batch);
  }

  names(): string[] {
    return this.events().map(({ event }) => event);
  }
}

export function store(): KeyValueStore & { kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => void kept.set(name, value),
    removeItem: (name) => void kept.delete(name),
  };
}
