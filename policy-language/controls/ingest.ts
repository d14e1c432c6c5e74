/** What happens at the door: what comes in, what is cut off, what is refused. */
import { z } from 'zod';
import { defineControls } from '#language/control-type';
import { data, enrichment, Name, Names, Nothing, path, purpose, Settings } from './parameters.ts';

export const ingestControls = defineControls({
  'ingest.declared-fields-only': {
    area: 'ingest',
    title: 'A field that the policy does not declare is dropped at the door and counted.',
    with: z.strictObject({ data: data.optional() }),
    probe: 'stored-bytes',
  },
  'ingest.event-stored': {
    area: 'ingest',
    title: 'An event of the declared form is accepted, kept under its rule and can be read back.',
    with: z.strictObject({ data, event: Name.optional(), fields: Names.optional() }),
    probe: 'api',
  },
  'ingest.value-reduced': {
    area: 'ingest',
    title: 'A value is cut down to what is needed before it is stored.',
    with: z.strictObject({
      data,
      field: Name,
      to: z.enum(['browser-family', 'device-class', 'origin', 'month', 'coarse-region']),
    }),
    probe: 'stored-bytes',
  },
  'ingest.content-stripped': {
    area: 'ingest',
    title: 'Personal content is removed from events before anything is written.',
    with: z.strictObject({
      classes: z
        .array(
          z.enum([
            'email',
            'person-name',
            'phone',
            'address',
            'card',
            'iban',
            'national-id',
            'credential',
            'message',
            'query-string',
          ]),
        )
        .min(1),
    }),
    probe: 'stored-bytes',
  },
  'ingest.no-person': {
    area: 'ingest',
    title: 'This data is stored with nothing that could point to a person.',
    with: z.strictObject({ data }),
    probe: 'stored-bytes',
  },
  'ingest.address-forgotten': {
    area: 'ingest',
    title: 'The network address of an event is never stored as it came.',
    with: z.strictObject({ after: z.enum(['truncate', 'keyed-hash', 'drop']) }),
    probe: 'stored-bytes',
  },
  'ingest.enrichment': {
    area: 'ingest',
    title: 'Facts added to events are the declared ones and follow their switch.',
    with: z.strictObject({
      enrichment: z.union([enrichment, z.array(enrichment).min(1)]),
      switch: z.enum(['tenant', 'always-on', 'always-off']),
    }),
    probe: 'stored-bytes',
  },
  'ingest.stages': {
    area: 'ingest',
    title: 'Every event walks the published stages in their order.',
    with: z.strictObject({ stages: Names }),
    probe: 'api',
  },
  'ingest.request-checked': {
    area: 'ingest',
    title: 'A request with a bad key, a wrong form or beyond the limit gets a clear refusal.',
    with: z.strictObject({ check: z.enum(['key', 'content-type', 'rate-and-schema', 'input']) }),
    probe: 'protocol',
  },
  'ingest.endpoint': {
    area: 'ingest',
    title: 'Events are accepted at the published address, in the published form.',
    with: z.strictObject({ path }),
    probe: 'protocol',
  },
  'ingest.accounted': {
    area: 'ingest',
    title: 'Every accepted event is either stored or refused with a counted reason.',
    with: Nothing,
    probe: 'stored-bytes',
  },
  'ingest.sources-typed': {
    area: 'ingest',
    title: 'Every source of data is marked as first-party or not.',
    with: Nothing,
    probe: 'configuration',
  },
  'ingest.webhook-verified': {
    area: 'ingest',
    title: 'Messages of other services are accepted only with a valid signature.',
    with: Nothing,
    probe: 'protocol',
  },
  'ingest.minor-refused': {
    area: 'ingest',
    title: 'Data marked as coming from a child is refused and not kept.',
    with: Nothing,
    probe: 'stored-bytes',
  },
  'ingest.logs-sanitised': {
    area: 'ingest',
    title: 'Error logs are cleaned of personal data and secrets before they are written.',
    with: z.strictObject({ data }),
    probe: 'stored-bytes',
  },
});

export const identifyControls = defineControls({
  'identify.mode-refuses': {
    area: 'identify',
    title: 'A mode of identification refuses what it does not allow.',
    with: z.strictObject({ mode: z.enum(['anonymous', 'pseudonymous']) }),
    probe: 'protocol',
  },
  'identify.default-mode': {
    area: 'identify',
    title: 'Without any setting, the strictest mode applies.',
    with: Settings,
    probe: 'api',
  },
  'identify.unlinkable': {
    area: 'identify',
    title: 'What one browser does cannot be joined together.',
    with: z.strictObject({ across: z.enum(['days', 'sites']) }),
    probe: 'stored-bytes',
  },
  'identify.sessions-linked': {
    area: 'identify',
    title: 'Sessions of one pseudonym are joined, under no real name.',
    with: Nothing,
    probe: 'api',
  },
  'identify.traits-limited': {
    area: 'identify',
    title: 'Only the listed traits can be attached in a mode of identification.',
    with: z.strictObject({ mode: z.enum(['pseudonymous', 'identified']), traits: Names }),
    probe: 'stored-bytes',
  },
  'identify.consent-first': {
    area: 'identify',
    title: 'A person is identified only after an explicit, recorded yes.',
    with: z.strictObject({ purpose }),
    probe: 'api',
  },
  'identify.journeys-consented': {
    area: 'identify',
    title: 'The steps of a person can be followed only with that person’s consent.',
    with: z.strictObject({ purpose }),
    probe: 'api',
  },
});
