/** What a browser and the network see. */
import { z } from 'zod';
import { defineControls } from '#language/control-type';
import { call, cookie, Names, Nothing, Settings } from './parameters.ts';

export const webControls = defineControls({
  'web.cookies-declared': {
    area: 'web',
    title: 'Only the cookies that the policy names are ever set.',
    with: Nothing,
    probe: 'protocol',
  },
  'web.cookie': {
    area: 'web',
    title: 'A cookie has the published name, protection, lifetime and content.',
    with: z.strictObject({
      cookie,
      proves: z.enum(['name', 'flags', 'content', 'purpose', 'lifetime']),
    }),
    probe: 'protocol',
  },
  'web.csrf': {
    area: 'web',
    title: 'Another site cannot act in the name of a person who is signed in.',
    with: Nothing,
    probe: 'protocol',
  },
  'web.first-party-only': {
    area: 'web',
    title: 'Pages load nothing from third parties.',
    with: Nothing,
    probe: 'protocol',
  },
  'web.headers': {
    area: 'web',
    title: 'Every answer carries the published security headers.',
    with: z.strictObject({ headers: Names }),
    probe: 'protocol',
  },
  'web.https-only': {
    area: 'web',
    title: 'Without encryption, the service shows nothing.',
    with: Nothing,
    probe: 'protocol',
  },
  'web.input-inert': {
    area: 'web',
    title: 'Hostile input is refused or shown as harmless text.',
    with: Nothing,
    probe: 'protocol',
  },
  'web.no-store': {
    area: 'web',
    title: 'Answers with personal data are never kept by caches on the way.',
    with: Nothing,
    probe: 'protocol',
  },
  'web.security-txt': {
    area: 'web',
    title: 'Finders of weaknesses learn from a standard file whom to tell.',
    with: Nothing,
    probe: 'protocol',
  },
  'web.load-shed': {
    area: 'web',
    title: 'Under a flood from some, the service stays quick for the others.',
    with: Nothing,
    probe: 'protocol',
  },
  'web.rate-limit': {
    area: 'web',
    title: 'Whoever sends more than the limit is asked to wait.',
    with: Settings,
    probe: 'protocol',
  },
  'web.request-filter': {
    area: 'web',
    title: 'Known attacks are blocked before they reach the service, and raise an event.',
    with: Nothing,
    probe: 'protocol',
  },
  'web.private-ports': {
    area: 'web',
    title: 'Databases and inner services cannot be reached from outside.',
    with: Nothing,
    probe: 'protocol',
  },
});

export const sdkControls = defineControls({
  'sdk.call': {
    area: 'sdk',
    title: 'The published call works as printed.',
    with: z.strictObject({ call }),
    probe: 'api',
  },
  'sdk.library': {
    area: 'sdk',
    title: 'The promised libraries are served and speak the same protocol.',
    with: z.strictObject({ names: Names }),
    probe: 'protocol',
  },
  'sdk.system-fields': {
    area: 'sdk',
    title: 'The library adds the published technical facts and no others.',
    with: z.strictObject({ fields: Names }),
    probe: 'stored-bytes',
  },
  'sdk.no-fingerprint': {
    area: 'sdk',
    title: 'The library never tries to recognise a device.',
    with: Nothing,
    probe: 'protocol',
  },
  'sdk.cost-measured': {
    area: 'sdk',
    title: 'What the library costs a page is measured and published.',
    with: Settings,
    probe: 'api',
  },
});
