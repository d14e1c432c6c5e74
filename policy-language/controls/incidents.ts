/** When something goes wrong: noticing, telling, ending, and being ready for it. */
import { z } from 'zod';
import { defineControls } from '#language/control-type';
import { clock, Name, Names, Nothing, Settings, setting } from './parameters.ts';

export const incidentControls = defineControls({
  'incidents.clock': {
    area: 'incidents',
    title: 'This step of an incident is done within its time, or an alarm is raised.',
    with: z.strictObject({ clock }),
    probe: 'api',
  },
  'incidents.containment': {
    area: 'incidents',
    title: 'One act freezes what is affected and preserves the evidence.',
    with: Nothing,
    probe: 'api',
  },
  'incidents.report': {
    area: 'incidents',
    title: 'A report names the people, data, time and risk concerned, and what is being done.',
    with: z.strictObject({ parts: Names }),
    probe: 'api',
  },
  'incidents.closing': {
    area: 'incidents',
    title:
      'An incident stays open until its remedies and the decision on authorities are recorded.',
    with: z.strictObject({ needs: z.enum(['remediation', 'authority-decision']) }),
    probe: 'api',
  },
  'incidents.detector': {
    area: 'incidents',
    title: 'This pattern of attack is noticed and raises exactly one event.',
    with: z.strictObject({ event: Name }),
    probe: 'protocol',
  },
  'incidents.watch': {
    area: 'incidents',
    title: 'The detectors run all the time, and silence of a detector is noticed.',
    with: z.strictObject({ setting: setting.optional() }),
    probe: 'api',
  },
  'incidents.told': {
    area: 'incidents',
    title: 'News of an incident reaches the promised place without waiting for anyone.',
    with: z.strictObject({
      channel: z.enum([
        'alert',
        'subscribers',
        'team',
        'log',
        'customers',
        'status-page',
        'dashboard',
      ]),
    }),
    probe: 'api',
  },
  'incidents.severity': {
    area: 'incidents',
    title: 'From the published severity upwards, people are told automatically.',
    with: Settings,
    probe: 'api',
  },
  'incidents.practised': {
    area: 'incidents',
    title: 'The procedure for incidents is a working process that is practised.',
    with: Nothing,
    probe: 'api',
  },
});

export const backupControls = defineControls({
  'backups.kept': {
    area: 'backups',
    title: 'Backups are made on schedule and deleted at the published age.',
    with: Settings,
    probe: 'stored-bytes',
  },
  'backups.any-second': {
    area: 'backups',
    title: 'The data of any second of the published days can be brought back.',
    with: Settings,
    probe: 'stored-bytes',
  },
  'backups.second-place': {
    area: 'backups',
    title: 'Every backup lies in a second place as well.',
    with: Nothing,
    probe: 'stored-bytes',
  },
  'backups.practised': {
    area: 'backups',
    title: 'Restoring is practised, and loss and time stay within the published limits.',
    with: Settings,
    probe: 'stored-bytes',
  },
});

export const oversightControls = defineControls({
  'oversight.three-aims': {
    area: 'oversight',
    title: 'Secrecy, correctness and availability are checked and shown side by side.',
    with: Nothing,
    probe: 'api',
  },
  'oversight.scans': {
    area: 'oversight',
    title: 'Components are scanned for known weaknesses on schedule.',
    with: Settings,
    probe: 'configuration',
  },
  'oversight.patches': {
    area: 'oversight',
    title: 'Every known weakness is repaired before its published date.',
    with: Settings,
    probe: 'configuration',
  },
  'oversight.availability': {
    area: 'oversight',
    title: 'The published availability is the measured one.',
    with: Nothing,
    probe: 'protocol',
  },
  'oversight.second-domain': {
    area: 'oversight',
    title: 'The data survives the loss of one place.',
    with: Nothing,
    probe: 'protocol',
  },
  'oversight.yearly-report': {
    area: 'oversight',
    title: 'A report of all checks of the year exists and can be verified.',
    with: Settings,
    probe: 'api',
  },
  'oversight.review-signed': {
    area: 'oversight',
    title: 'A regular review is signed by a person, and a late one raises an alarm.',
    with: z.strictObject({ task: Name, setting }),
    probe: 'api',
  },
});
