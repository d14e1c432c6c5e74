/** What the description of the API says of the addresses that take events. */
import { ingestProblem } from './errors.ts';
import { KINDS } from './wire.ts';

/** Refusals of a whole request, by status: every problem that a POST of events can be answered. */
function refusals(): Record<number, string> {
  const titles = new Map<number, string[]>();
  for (const [code, { status, title }] of Object.entries(ingestProblem.table)) {
    if (!code.startsWith('ingest-') || code === 'ingest-method-not-allowed') continue;
    titles.set(status, [...(titles.get(status) ?? []), `${title} (\`${code}\`)`]);
  }
  return Object.fromEntries([...titles].map(([status, all]) => [status, `${all.join('. ')}.`]));
}

/** By status, in words. */
const ANSWERS: Readonly<Record<number, string>> = {
  200: 'Everything sent was kept, was there before, or was dropped as the policy demands.',
  207:
    'Some events were refused for what they are, and are listed by index under `refused`; ' +
    'the others were kept or dropped as in 200. Not to be sent again.',
  ...refusals(),
};

const post = (path: string, summary: string) => ({
  method: 'POST',
  path,
  summary,
  answers: ANSWERS,
});

/** Served before the router, so the description has to be told of them. */
export const INGEST_OPERATIONS = [
  post('/v1/t/:tenant/batch', 'Takes a batch of events; answered when it is durable'),
  post('/v1/tracks', 'Takes one event, or a list, as LoopKit prints it'),
  post('/v1/batch', 'Takes what a Segment client sends'),
  ...[...KINDS, 'import'].map((call) => post(`/v1/${call}`, `Takes Segment’s ${call} call`)),
];
