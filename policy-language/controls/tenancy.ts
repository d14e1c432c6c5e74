/** Why services and customers never meet, and where their data lives. */
import { z } from 'zod';
import { defineControls } from '#language/control-type';
import { location, Nothing, setting } from './parameters.ts';

const Layers = z.array(z.enum(['database', 'api', 'objects', 'cache', 'queries'])).min(1);

export const tenancyControls = defineControls({
  'tenancy.no-crossing': {
    area: 'tenancy',
    title: 'No path leads from one customer to the data of another.',
    with: z.strictObject({ layers: Layers }),
    probe: 'protocol',
  },
  'tenancy.own-schema': {
    area: 'tenancy',
    title: 'Each customer has database schemas of its own.',
    with: Nothing,
    probe: 'stored-bytes',
  },
  'tenancy.row-security': {
    area: 'tenancy',
    title: 'The database itself refuses rows to a wrong or forged context.',
    with: Nothing,
    probe: 'protocol',
  },
  'tenancy.own-endpoint': {
    area: 'tenancy',
    title: 'Each customer has addresses of its own, and a key opens only those of its owner.',
    with: Nothing,
    probe: 'protocol',
  },
  'tenancy.own-objects': {
    area: 'tenancy',
    title: 'Files of each customer lie apart, behind a credential for that customer alone.',
    with: z.strictObject({ proves: z.enum(['place', 'credential']) }),
    probe: 'stored-bytes',
  },
  'tenancy.own-cache': {
    area: 'tenancy',
    title: 'Cached entries carry the customer in their name, and others cannot reach them.',
    with: z.strictObject({ proves: z.enum(['prefix', 'access']) }),
    probe: 'stored-bytes',
  },
  'tenancy.trust-domains': {
    area: 'tenancy',
    title: 'Each service of the family has an identity of its own that the others refuse.',
    with: z.strictObject({ setting }),
    probe: 'protocol',
  },
  'tenancy.core-blind': {
    area: 'tenancy',
    title: 'The shared core serves everyone and can read the data of no one.',
    with: Nothing,
    probe: 'protocol',
  },
  'tenancy.region': {
    area: 'tenancy',
    title: 'Data stays in the region that was chosen for it.',
    with: z.strictObject({ location }),
    probe: 'stored-bytes',
  },
  'tenancy.owner-controls': {
    area: 'tenancy',
    title: 'Owners can export, delete and configure everything that is theirs.',
    with: Nothing,
    probe: 'api',
  },
  'tenancy.service-logs': {
    area: 'tenancy',
    title: 'Each service keeps an access log of its own.',
    with: Nothing,
    probe: 'api',
  },
});
