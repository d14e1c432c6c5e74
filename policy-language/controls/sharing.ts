/** What leaves the house: to whom, which fields, on which ground. */
import { z } from 'zod';
import { defineControls } from '#language/control-type';
import { Nothing, purpose, recipient } from './parameters.ts';

export const sharingControls = defineControls({
  'sharing.default-deny': {
    area: 'sharing',
    title: 'Nothing leaves the service unless the policy names the recipient.',
    with: Nothing,
    probe: 'protocol',
  },
  'sharing.recipient-fields': {
    area: 'sharing',
    title: 'A recipient gets the listed fields and nothing else.',
    with: z.strictObject({ recipient: z.union([recipient, z.array(recipient).min(1)]) }),
    probe: 'protocol',
  },
  'sharing.registered-only': {
    area: 'sharing',
    title: 'Only registered processors with terms on file receive data.',
    with: Nothing,
    probe: 'protocol',
  },
  'sharing.consent-needed': {
    area: 'sharing',
    title: 'Data is shared only while the person’s consent to it stands.',
    with: z.strictObject({ purpose }),
    probe: 'protocol',
  },
  'sharing.integration-record': {
    area: 'sharing',
    title: 'A connection to another service is recorded with its scope before data flows.',
    with: Nothing,
    probe: 'api',
  },
  'sharing.internal-only': {
    area: 'sharing',
    title: 'Data for this purpose has no outside recipient.',
    with: z.strictObject({ purpose }),
    probe: 'protocol',
  },
  'sharing.case-needed': {
    area: 'sharing',
    title: 'A disclosure without consent needs a recorded case, a ground and an approver.',
    with: z.strictObject({ ground: z.enum(['legal-process', 'imminent-harm']) }),
    probe: 'api',
  },
  'sharing.transfer-tool': {
    area: 'sharing',
    title: 'Data crosses a border only with a named legal instrument.',
    with: z.strictObject({ tool: z.enum(['any', 'sccs', 'art-49-consent']) }),
    probe: 'api',
  },
  'sharing.ecosystem-gate': {
    area: 'sharing',
    title: 'Sister services get anonymous totals through one gate, and rows only with consent.',
    with: z.strictObject({ proves: z.enum(['one-gate', 'aggregates-only']) }),
    probe: 'api',
  },
  'sharing.mail-transactional': {
    area: 'sharing',
    title: 'Only service messages are sent, never advertising without consent.',
    with: Nothing,
    probe: 'api',
  },
  'sharing.research-opted-in': {
    area: 'sharing',
    title: 'Research sees anonymous totals of people who opted in.',
    with: z.strictObject({ purpose }),
    probe: 'api',
  },
  'sharing.person-blocked': {
    area: 'sharing',
    title: 'Nothing about a person who said no to sharing leaves the service.',
    with: Nothing,
    probe: 'protocol',
  },
});
