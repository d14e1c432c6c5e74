/** What each person agreed to, and the signals that speak for a person. */
import { z } from 'zod';
import { defineControls } from '#language/control-type';
import { Nothing, purpose, purposes, Settings, setting, signal } from './parameters.ts';

export const consentControls = defineControls({
  'consent.asked-first': {
    area: 'consent',
    title: 'Nothing is done for this purpose before the person has said yes.',
    with: z.strictObject({ purposes }),
    probe: 'stored-bytes',
  },
  'consent.default': {
    area: 'consent',
    title: 'A purpose starts in the published position until the person decides.',
    with: z.strictObject({ purpose, state: z.enum(['on', 'off']) }),
    probe: 'api',
  },
  'consent.switch': {
    area: 'consent',
    title: 'A person can turn a purpose off, and data for it stops at once.',
    with: z.strictObject({ purposes }),
    probe: 'stored-bytes',
  },
  'consent.required-purpose': {
    area: 'consent',
    title: 'A purpose that the service needs stays on, is described, and holds only what it needs.',
    with: z.strictObject({ purpose }),
    probe: 'api',
  },
  'consent.per-purpose': {
    area: 'consent',
    title: 'Each purpose has an answer of its own, with its time and the text that was shown.',
    with: Nothing,
    probe: 'api',
  },
  'consent.withdrawn': {
    area: 'consent',
    title: 'A consent is taken back as easily as it was given, with effect at once.',
    with: z.strictObject({ scope: z.enum(['one', 'all-optional']) }),
    probe: 'stored-bytes',
  },
  'consent.signal': {
    area: 'consent',
    title: 'A privacy signal of the browser is read on every request and obeyed.',
    with: z.strictObject({
      signal,
      effect: z.enum(['read', 'withdraws', 'minimises', 'stops-sharing', 'opt-out-recorded']),
    }),
    probe: 'stored-bytes',
  },
  'consent.mode': {
    area: 'consent',
    title: 'One call puts a service under the stricter rules of a law.',
    with: z.strictObject({ setting }),
    probe: 'api',
  },
  'consent.scope-chosen': {
    area: 'consent',
    title: 'People set for themselves how much is collected and shown about them.',
    with: Settings,
    probe: 'stored-bytes',
  },
  'consent.strictest-defaults': {
    area: 'consent',
    title: 'A new service starts with the strictest privacy settings.',
    with: z.strictObject({ setting: setting.optional() }),
    probe: 'api',
  },
});
