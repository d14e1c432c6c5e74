import { problems } from '#base/problem';

/** What a client of the ingest interface may be told; each has a page under docs/problems. */
export const ingestProblem = problems({
  'ingest-method-not-allowed': { status: 405, title: 'Events are sent with POST' },
  'ingest-key-missing': { status: 401, title: 'A write key is required' },
  'ingest-key-unknown': { status: 401, title: 'This write key is not known' },
  'ingest-key-not-allowed': { status: 403, title: 'This write key may not do that' },
  'ingest-origin-not-allowed': { status: 403, title: 'This origin may not use the write key' },
  'ingest-type-not-supported': { status: 415, title: 'Events are sent as JSON' },
  'ingest-encoding-not-supported': { status: 415, title: 'This content encoding is not supported' },
  'ingest-body-too-large': { status: 413, title: 'The body is larger than the limit' },
  'ingest-body-broken': { status: 400, title: 'The body could not be read' },
  'ingest-json-broken': { status: 400, title: 'The body is not valid JSON' },
  'ingest-json-too-complex': {
    status: 400,
    title: 'The JSON is nested too deeply or has too many keys',
  },
  'ingest-batch-too-long': { status: 413, title: 'The batch holds more events than the limit' },
  'ingest-nothing-kept': { status: 422, title: 'No event of the request fits its schema' },
  'ingest-rate-exceeded': { status: 429, title: 'Too many events' },
  'ingest-busy': { status: 503, title: 'The server holds as many events as it may' },
  'ingest-not-durable': { status: 503, title: 'The events could not be stored durably' },
  'ingest-tenant-unknown': { status: 404, title: 'There is no such service' },
  'write-key-unknown': { status: 404, title: 'There is no such write key' },
  'inbox-row-unknown': { status: 404, title: 'Nothing is set aside under this id' },
  'inbox-refused-again': { status: 409, title: 'The event store refused the rows again' },
  'enrichment-unknown': { status: 404, title: 'The policy names no such enrichment' },
  'enrichment-not-optional': { status: 409, title: 'The policy does not let this be switched' },
});
