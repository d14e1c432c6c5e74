import { problems } from '#base/problem';

export const httpProblem = problems({
  'not-found': { status: 404, title: 'There is nothing at this address' },
  'method-not-allowed': { status: 405, title: 'This address does not take that method' },
  'no-such-tenant': { status: 404, title: 'There is no such service' },
  'prose-missing': { status: 404, title: 'The published text is not on file' },
  'operator-only': { status: 401, title: 'This is for the operator' },
  'operator-link-spent': { status: 403, title: 'This link was used or is not ours' },
  'host-not-known': { status: 421, title: 'This server does not answer for that name' },
  'request-too-large': { status: 413, title: 'The request is larger than the limit' },
  'body-not-understood': { status: 422, title: 'The body is not what this address takes' },
  'query-not-understood': { status: 422, title: 'The address asks for what it cannot give' },
  'request-broken': { status: 400, title: 'The request could not be read' },
  'streams-exhausted': { status: 503, title: 'Too many live pages are open' },
  'proofs-running': { status: 503, title: 'Proofs are running already' },
  'not-ready': { status: 503, title: 'The server is not ready yet' },
  internal: { status: 500, title: 'Something went wrong here' },
});
