/** How long data lives, and how it ends. */
import { z } from 'zod';
import { defineControls } from '#language/control-type';
import { data, location, Nothing, Settings, setting } from './parameters.ts';

export const retentionControls = defineControls({
  'retention.limit': {
    area: 'retention',
    title: 'Data is gone once it is older than the policy allows.',
    with: z.strictObject({ data, setting: setting.optional() }),
    probe: 'stored-bytes',
  },
  'retention.tiers': {
    area: 'retention',
    title: 'Data moves to the archive and is deleted at the published ages.',
    with: z.strictObject({ data }),
    probe: 'stored-bytes',
  },
  'retention.with-session': {
    area: 'retention',
    title: 'What belongs to a session is deleted when the session ends.',
    with: z.strictObject({ data }),
    probe: 'stored-bytes',
  },
  'retention.until-removed': {
    area: 'retention',
    title: 'Data without an age limit is never swept, and is gone once it is removed.',
    with: z.strictObject({ data }),
    probe: 'stored-bytes',
  },
  'retention.idle-accounts': {
    area: 'retention',
    title: 'An account that nobody has used for the published time is deleted.',
    with: z.strictObject({ data, setting }),
    probe: 'stored-bytes',
  },
  'retention.every-type-limited': {
    area: 'retention',
    title: 'No kind of data exists without a limit of its own.',
    with: z.strictObject({ data: data.optional() }),
    probe: 'configuration',
  },
  'retention.sweep-runs': {
    area: 'retention',
    title: 'Deletion by age runs by itself, regularly, and leaves a record.',
    with: Nothing,
    probe: 'stored-bytes',
  },
  'retention.tenant-choice': {
    area: 'retention',
    title: 'A customer can choose another retention within the published bounds.',
    with: z.strictObject({
      choice: z.enum(['custom', 'extended', 'immediate', 'regional']),
      setting,
    }),
    probe: 'stored-bytes',
  },
  'retention.audit-cut': {
    area: 'retention',
    title: 'The audit log is kept for its time and can still be verified after old entries go.',
    with: z.strictObject({ data }),
    probe: 'stored-bytes',
  },
  'retention.anonymous-only': {
    area: 'retention',
    title: 'What is kept without limit holds no person and no small group.',
    with: z.strictObject({ data }),
    probe: 'stored-bytes',
  },
  'retention.person-choice': {
    area: 'retention',
    title: 'A person can have the own data kept for a shorter time.',
    with: Settings,
    probe: 'stored-bytes',
  },
});

export const erasureControls = defineControls({
  'erasure.complete': {
    area: 'erasure',
    title: 'On request, everything about a person is destroyed in every store, and read back.',
    with: z.strictObject({
      setting: setting.optional(),
      by: z.enum(['person', 'api', 'account']).optional(),
    }),
    probe: 'stored-bytes',
  },
  'erasure.hidden-at-once': {
    area: 'erasure',
    title: 'Deleted data disappears from every screen and interface at once.',
    with: Nothing,
    probe: 'api',
  },
  'erasure.recoverable': {
    area: 'erasure',
    title: 'A deletion can be undone during the published days and never after.',
    with: Settings,
    probe: 'stored-bytes',
  },
  'erasure.bytes-gone': {
    area: 'erasure',
    title: 'A final deletion removes the bytes from tables, indexes, files and archives.',
    with: Nothing,
    probe: 'stored-bytes',
  },
  'erasure.backups-clean': {
    area: 'erasure',
    title: 'Deleted data cannot be read from any backup after the published time.',
    with: Settings,
    probe: 'stored-bytes',
  },
  'erasure.restore-replays': {
    area: 'erasure',
    title: 'A restored backup forgets everybody who was forgotten since.',
    with: Nothing,
    probe: 'stored-bytes',
  },
  'erasure.certificate': {
    area: 'erasure',
    title: 'A finished deletion is confirmed by a signed certificate that anyone can verify.',
    with: Nothing,
    probe: 'api',
  },
  'erasure.exception': {
    area: 'erasure',
    title: 'Data is kept against a request only on a published, recorded ground.',
    with: z.strictObject({
      ground: z.enum(['legal-obligation', 'contract', 'legitimate-interest']),
    }),
    probe: 'stored-bytes',
  },
  'erasure.request-checked': {
    area: 'erasure',
    title: 'A request to delete is confirmed, comes from the right person and keeps its reason.',
    with: z.strictObject({ check: z.enum(['confirmation', 'identity', 'reason']) }),
    probe: 'api',
  },
  'erasure.delete-endpoints': {
    area: 'erasure',
    title: 'Everything that a program can create, it can delete.',
    with: Nothing,
    probe: 'protocol',
  },
  'erasure.minor': {
    area: 'erasure',
    title: 'Data about a child is purged at once when it is discovered.',
    with: Settings,
    probe: 'stored-bytes',
  },
  'erasure.replicas-follow': {
    area: 'erasure',
    title: 'A deletion reaches every copy in every region.',
    with: z.strictObject({ location }),
    probe: 'stored-bytes',
  },
});
