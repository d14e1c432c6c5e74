/** Tools that act for people, and what their use costs. */
import { z } from 'zod';
import { defineControls } from '#language/control-type';
import { data, meter, Names, Nothing } from './parameters.ts';

export const gatewayControls = defineControls({
  'gateway.inbound-authorised': {
    area: 'gateway',
    title: 'Data comes from a connected service only while the connection is authorised.',
    with: Nothing,
    probe: 'api',
  },
  'gateway.scopes': {
    area: 'gateway',
    title: 'A connection asks for the least scopes it needs and acts within them.',
    with: z.strictObject({ proves: z.enum(['requested', 'enforced']) }),
    probe: 'protocol',
  },
  'gateway.acts-as-person': {
    area: 'gateway',
    title: 'A tool runs for the person who called it, with that person’s credential.',
    with: Nothing,
    probe: 'protocol',
  },
  'gateway.approval': {
    area: 'gateway',
    title: 'A call is allowed, denied or held for approval before anything leaves.',
    with: Nothing,
    probe: 'protocol',
  },
  'gateway.arguments-filtered': {
    area: 'gateway',
    title: 'A connected service gets only the arguments that the person authorised.',
    with: Nothing,
    probe: 'protocol',
  },
  'gateway.connectors': {
    area: 'gateway',
    title: 'The named services can be connected.',
    with: z.strictObject({ names: Names }),
    probe: 'api',
  },
  'gateway.policy-seen-first': {
    area: 'gateway',
    title: 'A connection is made only after its provider’s policy was offered for reading.',
    with: Nothing,
    probe: 'api',
  },
  'gateway.call-log': {
    area: 'gateway',
    title: 'The log of calls holds the published facts and no content.',
    with: z.strictObject({ data }),
    probe: 'stored-bytes',
  },
});

export const billingControls = defineControls({
  'billing.charge': {
    area: 'billing',
    title: 'Each billed fact is charged once, at the published price.',
    with: z.strictObject({ meter }),
    probe: 'api',
  },
  'billing.refund': {
    area: 'billing',
    title: 'What was paid and not used is known to the cent and can be refunded.',
    with: z.strictObject({ meter }),
    probe: 'api',
  },
  'billing.recomputed': {
    area: 'billing',
    title: 'Every invoice can be computed again from the recorded facts.',
    with: z.strictObject({ data }),
    probe: 'api',
  },
});

export const auditControls = defineControls({
  'audit.append-only': {
    area: 'audit',
    title: 'The audit log can only grow; a change in it would be noticed.',
    with: Nothing,
    probe: 'stored-bytes',
  },
  'audit.same-transaction': {
    area: 'audit',
    title: 'What was done and the record of it exist together or not at all.',
    with: Nothing,
    probe: 'stored-bytes',
  },
});
