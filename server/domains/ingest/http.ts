/**
 * Events over HTTP, on bare `node:http`: the framework of the other routes would cost more than all
 * steps of the pipeline together.
 *
 * Order of refusal: method, media type, load, key, origin, size, JSON, rate, schema. Nothing of the
 * body is looked at before the key is known, except where the key is inside it; then no more of it
 * is taken than a beacon of a browser may hold.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { crossOriginHeaders, preflightHeaders } from '#base/cross-origin';
import { Problem } from '#base/problem';
import { type Actor, authorize } from '#core/policy';
import { answerOutcome, answerProblem, type Headers, refusalsOf } from './answer.ts';
import { InFlight, readBody, unpackBody } from './body.ts';
import { REFUSALS } from './drops.ts';
import { ingestProblem } from './errors.ts';
import { parseJson } from './json-guard.ts';
import type { Arrived, Batch, Outcome } from './model.ts';
import { type IngestPath, ingestPath } from './paths.ts';
import type { IngestPlan } from './plan.ts';
import { signalsOf } from './request-signals.ts';
import { readRequest } from './wire.ts';
import { admitKey, keyInHeader, kindOf, type WriteKey, type WriteKeys } from './write-keys.ts';

export type HttpOptions = {
  readonly keys: WriteKeys;
  readonly planFor: (key: WriteKey) => IngestPlan | undefined;
  readonly run: (arrived: Arrived) => Batch | Promise<Batch>;
  readonly whenDurable: (group: number, done: (durable: boolean) => void) => void;
  /** Why no more can be taken now, if so. */
  readonly isBusy: () => boolean;
  readonly now: () => Date;
  /** The address of the person; behind a proxy that is trusted, what the proxy says. */
  readonly addressOf?: (request: IncomingMessage) => string | undefined;
  /** Recorded before the answer goes out; resolves when it is durable. */
  readonly recordRefusal?: (refusal: Problem, by: Refused) => Promise<void> | undefined;
  /** For what is no Problem: a bug, or an engine that is away. Returns what is answered. */
  readonly problemOf: (error: unknown) => Problem;
};

/** Whom a refusal concerns, as far as that is known: a key that is genuine, a tenant in the path. */
export type Refused = { readonly key: WriteKey | undefined; readonly tenant: string | undefined };

export type IngestHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

const BODY_BYTES_MAX = 1024 * 1024;
/** What a browser lets a beacon hold, and a beacon is what has its key inside. */
const KEYLESS_BYTES_MAX = 64 * 1024;
const IN_FLIGHT_BYTES_MAX = 64 * 1024 * 1024;
const JSON_LIMITS = { depthMax: 24, keysMax: 200_000 };
const MEDIA_TYPE = /^(?:application\/json|text\/plain)[ \t]*(?:;|$)/i;
const NO_DEVICE_HEADER = 1_024;

type Call = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: IngestPath;
  headers: Headers;
  key: WriteKey | undefined;
  bytes: number;
};

/** Answers requests for events; returns false for every other request and leaves it alone. */
export function createIngestHandler(options: HttpOptions): IngestHandler {
  return new IngestHttp(options).handle;
}

class IngestHttp {
  readonly #options: HttpOptions;
  readonly #inFlight = new InFlight(IN_FLIGHT_BYTES_MAX);

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  readonly handle: IngestHandler = (request, response) => {
    const path = ingestPath(request.url ?? '');
    if (path === undefined) return false;
    const call: Call = { request, response, path, headers: {}, key: undefined, bytes: 0 };
    try {
      this.#begin(call);
    } catch (error) {
      request.resume();
      this.#refuse(call, error);
    }
    return true;
  };

  #begin(call: Call): void {
    const { request, path } = call;
    if (request.method === 'OPTIONS') {
      this.#preflight(call);
      return;
    }
    if (request.method !== 'POST') {
      call.headers = { allow: 'POST, OPTIONS' };
      throw ingestProblem('ingest-method-not-allowed', 'use POST');
    }
    const type = request.headers['content-type'];
    if (type === undefined || !MEDIA_TYPE.test(type)) {
      throw ingestProblem('ingest-type-not-supported', 'send application/json');
    }
    if (this.#options.isBusy() || this.#inFlight.isFull) {
      throw ingestProblem('ingest-busy', 'try again shortly', { retryAfterSeconds: 2 });
    }
    const text = keyInHeader(request.headers.authorization);
    const key = text === undefined ? undefined : this.#options.keys.check(text);
    if (key instanceof Promise) {
      request.pause();
      key.then(
        (found) => this.#attempt(call, () => this.#receive(call, found)),
        (error: unknown) => {
          request.resume();
          this.#refuse(call, error);
        },
      );
      return;
    }
    // A path without a tenant needs a key anyway; saying so at once saves the body.
    if (key === undefined && path.tenant === undefined && request.headers.authorization) {
      throw ingestProblem('ingest-key-missing', 'use Bearer or Basic');
    }
    this.#receive(call, key);
  }

  #release(call: Call): void {
    this.#inFlight.give(call.bytes);
    call.bytes = 0;
  }

  /** Whether a page of that origin could have a key here: asked before any key is known. */
  #mayRead({ request, path }: Call, origin = request.headers.origin): origin is string {
    return origin !== undefined && this.#options.keys.allowsOrigin(origin, path.tenant);
  }

  #preflight(call: Call): void {
    const { origin } = call.request.headers;
    call.response.writeHead(204, {
      ...(this.#mayRead(call, origin) && preflightHeaders(origin, 'POST')),
      vary: 'origin',
    });
    call.response.end();
  }

  #receive(call: Call, key: WriteKey | undefined): void {
    call.response.on('close', () => this.#release(call));
    if (key) this.#admit(call, key);
    const plan = key && this.#options.planFor(key);
    const bytesMax = key ? (plan?.limits.bodyBytes ?? BODY_BYTES_MAX) : KEYLESS_BYTES_MAX;
    const because = key ? 'send less at once' : 'send the key in a header, or less at once';
    const take = (bytes: number) => {
      // Of a call that is over nothing is kept, and nobody would give it back.
      if (call.response.closed || !this.#inFlight.take(bytes)) return false;
      call.bytes += bytes;
      return true;
    };
    readBody(call.request, { bytesMax, because, take }, (problem, bytes) =>
      this.#attempt(call, () => {
        if (problem) {
          this.#release(call);
          if (problem.code !== 'ingest-body-broken') call.headers['connection'] = 'close';
          throw problem;
        }
        this.#read(call, bytes, bytesMax);
      }),
    );
    if (call.request.isPaused()) call.request.resume();
  }

  /** The key is genuine; may it do this, here, from there? */
  #admit(call: Call, key: WriteKey): void {
    call.key = key;
    const { origin } = call.request.headers;
    admitKey(key, { scope: 'ingest', tenant: call.path.tenant, origin });
    if (origin !== undefined) call.headers = { ...crossOriginHeaders(origin), vary: 'origin' };
  }

  #read(call: Call, bytes: Buffer, bytesMax: number): void {
    const unpacked = unpackBody(bytes, call.request.headers['content-encoding'], bytesMax);
    const sent = readRequest(parseJson(unpacked, JSON_LIMITS));
    if (call.key) {
      this.#run(call, call.key, sent);
      return;
    }
    const { writeKey } = sent;
    const key = this.#options.keys.check(typeof writeKey === 'string' ? writeKey : undefined);
    const admit = (found: WriteKey) => {
      this.#admit(call, found);
      this.#run(call, found, sent);
    };
    if (!(key instanceof Promise)) admit(key);
    else {
      key.then(
        (found) => this.#attempt(call, () => admit(found)),
        (error: unknown) => this.#refuse(call, error),
      );
    }
  }

  #run(call: Call, key: WriteKey, sent: ReturnType<typeof readRequest>): void {
    const { headers } = call.request;
    const plan = this.#options.planFor(key);
    if (plan === undefined) throw ingestProblem('ingest-tenant-unknown', 'no policy is in force');
    if (sent.events.length > plan.limits.batch) {
      const { batch: batchMax } = plan.limits;
      throw ingestProblem('ingest-batch-too-long', 'send fewer events at once', { batchMax });
    }
    const done = this.#options.run({
      tenant: key.tenant,
      keyKind: kindOf(key),
      permit: authorize(
        { tenant: key.tenant, revision: plan.revision },
        actorOf(key),
        'event.ingest',
      ),
      plan,
      receivedAt: this.#options.now().getTime(),
      userAgent: headers['user-agent']?.slice(0, NO_DEVICE_HEADER),
      signals: signalsOf(headers, sent.context['signals']),
      address: this.#options.addressOf?.(call.request) ?? call.request.socket.remoteAddress,
      sent: sent.events,
      sentAt: sent.sentAt,
      shared: sent.context,
      kind: call.path.kind,
      events: [],
      refused: [],
      dropped: new Map(),
      conflicts: [],
      group: 0,
      kept: 0,
      duplicates: 0,
      untold: 0,
    });
    if (!(done instanceof Promise)) this.#settle(call, done);
    else {
      done.then(
        (batch) => this.#attempt(call, () => this.#settle(call, batch)),
        (error: unknown) => this.#refuse(call, error),
      );
    }
  }

  #settle(call: Call, batch: Batch): void {
    const { refused, dropped, kept, duplicates, untold, group } = batch;
    // Listed already, one by one; a retry was no loss to anybody.
    for (const reason of REFUSALS) dropped.delete(reason);
    dropped.delete('duplicate');
    const outcome = { refused, dropped, kept, duplicates, untold };
    if (group === 0) this.#answer(call, outcome);
    else {
      this.#options.whenDurable(group, (durable) => {
        if (durable) this.#answer(call, outcome);
        else {
          const detail = 'nothing of this request is lost if you send it again';
          this.#refuse(call, ingestProblem('ingest-not-durable', detail, { retryAfterSeconds: 1 }));
        }
      });
    }
  }

  #answer(call: Call, outcome: Outcome): void {
    const { refused, dropped, kept, duplicates, untold } = outcome;
    if (refused.length === 0 || kept + duplicates + untold > 0 || dropped.size > 0) {
      answerOutcome(call.response, outcome, call.headers);
      return;
    }
    const problem = ingestProblem('ingest-nothing-kept', 'see the list of refused events');
    answerProblem(call.response, problem, call.headers, refusalsOf(outcome));
  }

  #attempt(call: Call, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#refuse(call, error);
    }
  }

  #refuse(call: Call, error: unknown): void {
    const problem = error instanceof Problem ? error : this.#options.problemOf(error);
    const { key, path, request } = call;
    const { origin } = request.headers;
    if (key === undefined && this.#mayRead(call, origin)) {
      call.headers = { ...call.headers, ...crossOriginHeaders(origin), vary: 'origin' };
    }
    const answer = () => answerProblem(call.response, problem, call.headers);
    const recorded = this.#options.recordRefusal?.(problem, { key, tenant: path.tenant });
    if (recorded === undefined) answer();
    else recorded.then(answer, answer);
  }
}

export const actorOf = ({ id, tenant }: WriteKey): Actor => ({ kind: 'write-key', id, tenant });
