/** Why data may be read, and which readings are impossible. */
import { z } from 'zod';
import { defineControls } from '#language/control-type';
import { data, Name, Nothing, purpose, purposes, Settings } from './parameters.ts';

const ForbiddenUse = z.enum(['sales', 'train_ai_system', 'marketing.advertising']);

export const purposeControls = defineControls({
  'purpose.bound-reads': {
    area: 'purpose',
    title: 'Data can be read only for the purposes that the policy gives it.',
    with: z.strictObject({ data, purposes }),
    probe: 'api',
  },
  'purpose.stated': {
    area: 'purpose',
    title: 'A reading of personal data that states no declared purpose is refused.',
    with: Nothing,
    probe: 'api',
  },
  'purpose.holds-only': {
    area: 'purpose',
    title: 'A purpose opens exactly the data that belongs to it and nothing else.',
    with: z.strictObject({ purpose, data }),
    probe: 'api',
  },
  'purpose.forbidden': {
    area: 'purpose',
    title: 'A forbidden use of data is refused to everybody, and no route for it can be set up.',
    with: z.strictObject({ use: z.union([ForbiddenUse, z.array(ForbiddenUse).min(1)]) }),
    probe: 'api',
  },
  'purpose.basis': {
    area: 'purpose',
    title: 'A purpose rests on the legal basis that the policy names for it.',
    with: z.strictObject({
      purpose,
      basis: z.enum(['consent', 'contract', 'legal-obligation', 'legitimate-interests']),
    }),
    probe: 'configuration',
  },
  'purpose.documented': {
    area: 'purpose',
    title: 'No job and no field exists without a documented purpose.',
    with: Nothing,
    probe: 'configuration',
  },
  'purpose.columns-mapped': {
    area: 'purpose',
    title: 'Every stored column belongs to a declared field with a class and a purpose.',
    with: Nothing,
    probe: 'stored-bytes',
  },
});

export const accessControls = defineControls({
  'access.every-request-checked': {
    area: 'access',
    title: 'Every route asks who is calling and whether this caller may do this.',
    with: Nothing,
    probe: 'protocol',
  },
  'access.role': {
    area: 'access',
    title: 'A role may do exactly what the policy lists for it.',
    with: z.strictObject({ role: z.union([Name, z.array(Name).min(1)]) }),
    probe: 'protocol',
  },
  'access.least-grants': {
    area: 'access',
    title: 'Roles and services hold only the database rights that the policy gives them.',
    with: Nothing,
    probe: 'configuration',
  },
  'access.staff-need-role': {
    area: 'access',
    title: 'Staff reach data of people only in an authorised role and for a stated purpose.',
    with: Nothing,
    probe: 'api',
  },
  'access.reads-logged': {
    area: 'access',
    title: 'Every reading of data of people leaves an entry that cannot be altered.',
    with: Nothing,
    probe: 'api',
  },
  'access.debug-expires': {
    area: 'access',
    title: 'Access for debugging ends by itself and is logged.',
    with: Settings,
    probe: 'api',
  },
  'access.key-scopes': {
    area: 'access',
    title: 'Each application has a key of its own that works only within its scopes.',
    with: Nothing,
    probe: 'protocol',
  },
});
