/**
 * Events over HTTP, on bare `node:http`: the framework of the other routes would cost more than all
 * steps of the pipeline together.
 *
 * Order of refusal: method, media type, key, load, size, JSON, rate, schema. Nothing of the body is
 * looked at before the key is known, except where the key is inside it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Problem } from '#base/problem';
import { type Actor, authorize } from '#core/policy';
import { answerOutcome, answerProblem, type Headers, refusalsOf } from './answer.ts';
import { readBody, unpackBody } from './body.ts';
import { REFUSALS } from './drops.ts';
import { ingestProblem } from './errors.ts';
import { parseJson } from './json-guard.ts';
import type { Arrived, Batch, Outcome, Signals } from './model.ts';
import { type IngestPath, ingestPath } from './paths.ts';
import type { IngestPlan } from './plan.ts';
import { member, readRequest } from './wire.ts';
import { keyInHeader, type WriteKey, type WriteKeys } from './write-keys.ts';

export type HttpOptions = {
  readonly keys: WriteKeys;
  readonly planOf: (tenant: string) => IngestPlan | undefined;
  readonly run: (arrived: Arrived) => Batch | Promise<Batch>;
  readonly whenDurable: (group: number, done: (durable: boolean) => void) => void;
  /** Why no more can be taken now, if so. */
  readonly isBusy: () => boolean;
  readonly now: () => Date;
  /** The address of the person; behind a proxy that is trusted, what the proxy says. */
  readonly addressOf?: (request: IncomingMessage) => string | undefined;
  /** Recorded before the answer goes out; resolves when it is durable. */
  readonly recordRefusal?: (
    refusal: Problem,
    key: WriteKey | undefined,
  ) => Promise<void> | undefined;
  /** For what is no Problem: a bug, or an engine that is away. Returns what is answered. */
  readonly problemOf: (error: unknown) => Problem;
};

export type IngestHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

const BODY_BYTES_MAX = 1024 * 1024;
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
  #inFlightBytes = 0;

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
    const { origin } = request.headers;
    if (request.method === 'OPTIONS') {
      this.#preflight(call, origin);
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
    if (this.#options.isBusy() || this.#inFlightBytes > IN_FLIGHT_BYTES_MAX) {
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
    this.#inFlightBytes -= call.bytes;
    call.bytes = 0;
  }

  #preflight({ response, path }: Call, origin: string | undefined): void {
    const allowed = origin !== undefined && this.#options.keys.allowsOrigin(origin, path.tenant);
    response.writeHead(204, {
      ...(allowed && {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'authorization, content-type, content-encoding',
        'access-control-max-age': '600',
      }),
      vary: 'origin',
    });
    response.end();
  }

  #receive(call: Call, key: WriteKey | undefined): void {
    call.response.on('close', () => this.#release(call));
    if (key) this.#admit(call, key);
    const plan = key && this.#options.planOf(key.tenant);
    const bytesMax = plan?.limits.bodyBytes ?? BODY_BYTES_MAX;
    readBody(call.request, bytesMax, (problem, bytes) =>
      this.#attempt(call, () => {
        if (problem) {
          if (problem.code === 'ingest-body-too-large') call.headers['connection'] = 'close';
          throw problem;
        }
        call.bytes = bytes.length;
        this.#inFlightBytes += bytes.length;
        this.#read(call, bytes, bytesMax);
      }),
    );
    if (call.request.isPaused()) call.request.resume();
  }

  /** The key is genuine; may it do this, here, from there? */
  #admit(call: Call, key: WriteKey): void {
    call.key = key;
    const { tenant } = call.path;
    if (tenant !== undefined && tenant !== key.tenant) {
      throw ingestProblem('ingest-key-not-allowed', 'the key belongs to another service');
    }
    if (!key.scopes.includes('ingest')) {
      throw ingestProblem('ingest-key-not-allowed', 'the key may not send events');
    }
    const { origin } = call.request.headers;
    if (origin === undefined || key.origins === null) return;
    if (!key.origins.includes(origin) && !key.origins.includes('*')) {
      throw ingestProblem('ingest-origin-not-allowed', 'the key is not for this origin');
    }
    call.headers['access-control-allow-origin'] = origin;
    call.headers['vary'] = 'origin';
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
    const plan = this.#options.planOf(key.tenant);
    if (plan === undefined) throw ingestProblem('ingest-tenant-unknown', 'no policy is in force');
    if (sent.events.length > plan.limits.batch) {
      const { batch: batchMax } = plan.limits;
      throw ingestProblem('ingest-batch-too-long', 'send fewer events at once', { batchMax });
    }
    const done = this.#options.run({
      tenant: key.tenant,
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
    const { refused, dropped, kept, duplicates, group } = batch;
    // Listed already, one by one; a retry was no loss to anybody.
    for (const reason of REFUSALS) dropped.delete(reason);
    dropped.delete('duplicate');
    const outcome = { refused, dropped, kept, duplicates };
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
    const { refused, dropped, kept, duplicates } = outcome;
    if (refused.length === 0 || kept + duplicates > 0 || dropped.size > 0) {
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
    const answer = () => answerProblem(call.response, problem, call.headers);
    const recorded = this.#options.recordRefusal?.(problem, call.key);
    if (recorded === undefined) answer();
    else recorded.then(answer, answer);
  }
}

export const actorOf = ({ id, tenant }: WriteKey): Actor => ({ kind: 'write-key', id, tenant });

/** Several headers, or one with a list, speak when any says "1". @see W3C GPC, section 3. */
const says1 = (value: string | string[] | undefined): boolean =>
  value !== undefined &&
  (value === '1' ||
    String(value)
      .split(',')
      .some((one) => one.trim() === '1'));

const NO_SIGNALS: Signals = Object.freeze({ gpc: false, dnt: false, doNotSell: false });

/**
 * What the browser says in its headers, or its script in the body: a beacon may carry no header of
 * ours. Either is enough to close; neither can open what the other closed.
 */
function signalsOf(headers: IncomingMessage['headers'], told: unknown): Signals {
  const { dnt } = headers;
  const gpc = headers['sec-gpc'];
  const doNotSell = headers['x-do-not-sell'];
  const silent = gpc === undefined && dnt === undefined && doNotSell === undefined;
  if (silent && told === undefined) return NO_SIGNALS;
  return {
    gpc: says1(gpc) || member(told, 'gpc') === true,
    dnt: says1(dnt) || member(told, 'dnt') === true,
    doNotSell: says1(doNotSell) || member(told, 'doNotSell') === true,
  };
}
