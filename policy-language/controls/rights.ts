/** What people may demand, in which form, and by when. */
import { z } from 'zod';
import { defineControls } from '#language/control-type';
import {
  contact,
  data,
  Names,
  Nothing,
  purposes,
  right,
  rights,
  Settings,
  setting,
} from './parameters.ts';

export const rightsControls = defineControls({
  'rights.self-service': {
    area: 'rights',
    title: 'People exercise their rights themselves, wherever their data is stored.',
    with: z.strictObject({ rights }),
    probe: 'api',
  },
  'rights.access-complete': {
    area: 'rights',
    title: 'A download holds every record about the person from every store.',
    with: Nothing,
    probe: 'api',
  },
  'rights.export-format': {
    area: 'rights',
    title: 'Exports come in open formats that standard programs read without loss.',
    with: z.strictObject({
      right,
      format: z.enum(['json', 'csv', 'parquet', 'sql', 'gzip', 'standard-schema', 'all']),
    }),
    probe: 'api',
  },
  'rights.export-option': {
    area: 'rights',
    title: 'An export can be limited and widened by the published options.',
    with: z.strictObject({ option: z.enum(['aggregated', 'start', 'workspace']) }),
    probe: 'api',
  },
  'rights.export-method': {
    area: 'rights',
    title: 'Exports can be had in every published way, up to the published size.',
    with: z.strictObject({
      method: z.enum(['dashboard', 'bulk-api', 'scheduled', 'bucket-sync']),
      setting: setting.optional(),
    }),
    probe: 'api',
  },
  'rights.correction-spreads': {
    area: 'rights',
    title: 'A correction reaches every copy; the wrong value is nowhere left.',
    with: z.strictObject({ data: data.optional(), fields: Names.optional() }),
    probe: 'stored-bytes',
  },
  'rights.restriction': {
    area: 'rights',
    title: 'While data is restricted, it is stored and used for nothing.',
    with: Nothing,
    probe: 'api',
  },
  'rights.objection': {
    area: 'rights',
    title: 'An objection takes the person out of the named use from then on.',
    with: z.strictObject({ purposes }),
    probe: 'api',
  },
  'rights.deadline': {
    area: 'rights',
    title: 'A request is finished within the published time, and a late one raises an alarm.',
    with: z.strictObject({ right, setting }),
    probe: 'api',
  },
  'rights.categories-report': {
    area: 'rights',
    title: 'A person is told exactly which categories of data are held.',
    with: Nothing,
    probe: 'api',
  },
  'rights.equal-service': {
    area: 'rights',
    title: 'Who exercises a right keeps the same price, limits and access.',
    with: Nothing,
    probe: 'api',
  },
  'rights.human-review': {
    area: 'rights',
    title: 'A decision made by software can be reviewed by a person, within a set time.',
    with: Settings,
    probe: 'api',
  },
  'rights.workspace-log': {
    area: 'rights',
    title: 'People see what was done in their workspace.',
    with: Nothing,
    probe: 'api',
  },
});

export const caseControls = defineControls({
  'cases.answer-clock': {
    area: 'cases',
    title: 'Every inquiry is answered within the published time, or an alarm is raised before.',
    with: z.strictObject({ contact, setting }),
    probe: 'api',
  },
  'cases.kind': {
    area: 'cases',
    title: 'A request of this kind opens a case with an owner and a clock.',
    with: z.strictObject({
      kind: z.enum(['complex', 'legal', 'security', 'consultation', 'complaint', 'urgent']),
    }),
    probe: 'api',
  },
  'console.page': {
    area: 'console',
    title: 'The promised page exists and does what it says.',
    with: z.strictObject({ path: z.string().min(1).max(80) }),
    probe: 'protocol',
  },
});
