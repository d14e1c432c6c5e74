/**
 * The OpenAPI description, made from the routes that are mounted: a route cannot be forgotten, and
 * a test refuses one without a summary.
 */
import type { Hono } from 'hono';
import type { Edge } from './edge.ts';

/** An operation that is served before Hono, and so has to be named. */
export type ExtraOperation = {
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  /** What each status says, where the summary does not say it all. */
  readonly answers?: Readonly<Record<number, string>>;
};

/** Pages and files are for people; everything else is described. */
const FOR_PEOPLE = /^\/($|assets|services|mark\.svg|operator$|problems|sdk)/;

const SUMMARIES: Readonly<Record<string, string>> = {
  'GET /healthz': 'Answers while the process lives',
  'GET /readyz': 'Answers 200 once every part is ready, 503 before',
  'GET /policy.schema.json': 'The schema of a policy document (JSON Schema 2020-12)',
  'GET /metrics': 'What the installation measures of itself, for Prometheus',
  'GET /openapi.json': 'This description',
  'GET /.well-known/gpc.json': 'Says that Global Privacy Control is honoured',
  'GET /.well-known/troth-keys.json': 'The public key of certificates, reports and logs (JWK set)',
  'GET /.well-known/security.txt': 'Where to report a weakness (RFC 9116)',
  'GET /v1/availability': 'The availability of the last thirty days, as it was measured',
  'GET /v1/tenants': 'Every service, with its counts; with an operator’s session also its flow',
  'GET /v1/t/:tenant/promises': 'Each promise with its state, and why it has that state',
  'GET /v1/t/:tenant/promises/days': 'How often each promise was found in each state, by day',
  'GET /v1/t/:tenant/report.json': 'The evidence as a signed document',
  'GET /v1/t/:tenant/report.html': 'The same as a page to print',
  'POST /v1/operator/prove': 'Runs proofs now; answers a finding a line as each is made',
  'GET /v1/t/:tenant/prose': 'The policy as published, line by line',
  'GET /v1/t/:tenant/findings': 'What the linter found, and the decision that resolved it',
  'GET /v1/t/:tenant/policy': 'The compiled document and its hash',
  'GET /v1/t/:tenant/policy.html': 'The policy as a page for people',
  'GET /v1/t/:tenant/policy/revisions': 'Every revision: when, by whom, why, and its hash',
  'GET /v1/t/:tenant/policy/revisions/:revision': 'One revision, and what it changed',
  'GET /v1/t/:tenant/changelog.json': 'What changed for clients, as a JSON Feed',
  'GET /v1/t/:tenant/policy.md': 'The policy as Markdown',
  'GET /v1/t/:tenant/data-map': 'Every data type; for an operator with row counts and ages',
  'POST /v1/t/:tenant/events/read': 'Reads events for a stated purpose, under its own login',
  'GET /v1/t/:tenant/pipeline': 'For an operator: events in, drops by reason, time of each step',
  'GET /v1/t/:tenant/pipeline/stream': 'The same, once a second, as server-sent events',
  'GET /v1/t/:tenant/audit/checkpoint': 'The signed head of the audit log (C2SP checkpoint)',
  'GET /v1/t/:tenant/audit/tile/*': 'A tile of the log’s hashes; of its entries for an operator',
  'GET /v1/t/:tenant/audit/entries': 'For an operator: entries, each with its inclusion proof',
  'GET /v1/t/:tenant/audit/export': 'For an operator: the whole log as a file that proves itself',
  'GET /v1/operator/audit/health': 'Which logs cannot be written, or are not what was signed',
  'POST /v1/operator/policies/plan': 'What a document would change, without changing anything',
  'POST /v1/operator/policies/apply': 'Puts a document in force; refused while an error is open',
  'GET /v1/operator/doctor': 'What ails the installation, and what to do about it',
  'GET /v1/operator/t/:tenant/write-keys': 'The keys of a service’s applications, without secrets',
  'POST /v1/operator/t/:tenant/write-keys': 'A key for one application; its text is told once',
  'DELETE /v1/operator/t/:tenant/write-keys/:id': 'Takes a key away, for good',
  'GET /v1/operator/keys/status': 'How old the keys are, and where their copies lie',
  'POST /v1/operator/keys/rotate': 'Makes a new epoch of the root key and wraps all keys anew',
  'POST /v1/operator/keys/recovery-kit': 'The kit that opens the keyring elsewhere, once',
  'POST /v1/operator/links': 'A new link that opens the console once',
  'POST /v1/operator/leave': 'Ends the operator’s session',
};

const text = { type: 'string' };
const FINDINGS = {
  type: 'array',
  description: 'Of a document with errors (`policy-has-errors`): each error, at most a hundred.',
  items: {
    type: 'object',
    required: ['code', 'severity', 'message', 'file', 'line', 'column'],
    properties: {
      code: text,
      severity: text,
      message: text,
      expected: text,
      example: text,
      file: text,
      line: { type: 'integer' },
      column: { type: 'integer' },
    },
  },
};

const PROBLEM = {
  description: 'A problem (RFC 9457). `type` leads to a page that says what to do.',
  content: {
    'application/problem+json': {
      schema: {
        type: 'object',
        required: ['type', 'status', 'title', 'detail', 'code'],
        properties: {
          type: { type: 'string' },
          status: { type: 'integer' },
          title: { type: 'string' },
          detail: { type: 'string' },
          code: { type: 'string' },
          findings: FINDINGS,
        },
      },
    },
  },
};

function responsesOf(answers: ExtraOperation['answers']) {
  if (!answers) return { '2XX': { description: 'As the summary says' }, default: PROBLEM };
  const named = Object.entries(answers).map(([status, description]) => [
    status,
    Number(status) < 400 ? { description } : { ...PROBLEM, description },
  ]);
  return { ...Object.fromEntries(named), default: PROBLEM };
}

function operation({ method, path, summary, answers }: ExtraOperation) {
  const parameters = [...path.matchAll(/:([A-Za-z]+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const words = path.split(/[^A-Za-z]+/).filter(Boolean);
  return {
    operationId: [method.toLowerCase(), ...words].join('-'),
    summary,
    ...(parameters.length > 0 && { parameters }),
    responses: responsesOf(answers),
  };
}

/** @returns every operation that the app serves, by method and path, in the order of mounting. */
export function operationsOf(
  app: Pick<Hono<Edge>, 'routes'>,
  extra: readonly ExtraOperation[],
): ExtraOperation[] {
  const mounted = app.routes
    .filter(({ method, path }) => method !== 'ALL' && !FOR_PEOPLE.test(path))
    .map(({ method, path }) => ({ method, path, summary: SUMMARIES[`${method} ${path}`] ?? '' }));
  const all = [...extra, ...mounted];
  const named = new Map<string, ExtraOperation>();
  for (const one of all) {
    const name = `${one.method} ${one.path}`;
    if (!named.get(name)?.summary) named.set(name, one);
  }
  return [...named.values()];
}

/** The document of /openapi.json. @see OpenAPI Specification 3.1.1 */
export function openApiOf(
  app: Pick<Hono<Edge>, 'routes'>,
  extra: readonly ExtraOperation[],
  version: string,
) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const one of operationsOf(app, extra)) {
    const path = one.path.replaceAll(/:([A-Za-z]+)(?:\{[^}]*\})?/g, '{$1}');
    paths[path] = { ...paths[path], [one.method.toLowerCase()]: operation(one) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Troth',
      version,
      description: 'Services run under the promises that their privacy policies make.',
    },
    paths,
  };
}
