/** The page itself, its revisions and the news about them. */
import { z } from 'zod';
import { defineControls } from '#language/control-type';
import { Name, Nothing, Settings, setting } from './parameters.ts';

export const policyControls = defineControls({
  'policy.rendered-as-enforced': {
    area: 'policy',
    title: 'The page people read is printed from the document that the software obeys.',
    with: Nothing,
    probe: 'api',
  },
  'policy.practices-public': {
    area: 'policy',
    title: 'Anyone can read which data is held, for what purpose, and where it flows.',
    with: Nothing,
    probe: 'api',
  },
  'policy.status-measured': {
    area: 'policy',
    title: 'A status line on the page shows the result of the latest checks, not a fixed text.',
    with: z.strictObject({ shows: z.enum(['banner', 'footer']) }),
    probe: 'api',
  },
  'policy.date-from-revision': {
    area: 'policy',
    title: 'Dates and versions on the page come from the stored revisions and agree everywhere.',
    with: z.strictObject({ shows: z.enum(['effective', 'updated', 'reviewed', 'version']) }),
    probe: 'configuration',
  },
  'policy.claim-shows-evidence': {
    area: 'policy',
    title: 'A general claim is shown together with the results of the checks that support it.',
    with: z.strictObject({ claim: Name }),
    probe: 'configuration',
  },
  'policy.languages': {
    area: 'policy',
    title: 'Notices can be read in every language that the policy names.',
    with: Settings,
    probe: 'api',
  },
});

export const changeControls = defineControls({
  'changes.revision-recorded': {
    area: 'changes',
    title:
      'Every change of the policy is kept as a revision with its author, reason and difference.',
    with: z.strictObject({
      reason: z.enum(['any', 'regulation', 'features', 'security', 'feedback']),
    }),
    probe: 'api',
  },
  'changes.revision-first': {
    area: 'changes',
    title: 'Nothing new is collected before the policy says so.',
    with: Nothing,
    probe: 'api',
  },
  'changes.notice-period': {
    area: 'changes',
    title: 'A material change takes effect only after the promised notice.',
    with: Settings,
    probe: 'api',
  },
  'changes.people-told': {
    area: 'changes',
    title: 'News about a change reaches people through the promised channel.',
    with: z.strictObject({
      about: z.enum(['any-change', 'material-change', 'technical-change', 'transfer', 'advisory']),
      channel: z.enum(['all', 'email', 'dashboard', 'changelog', 'blog', 'status-page']),
      setting: setting.optional(),
    }),
    probe: 'api',
  },
  'changes.leave-offered': {
    area: 'changes',
    title: 'Who disagrees with a change can delete the account straight from the notice.',
    with: Nothing,
    probe: 'api',
  },
  'changes.current-at-address': {
    area: 'changes',
    title: 'The revision in force is served at its permanent address.',
    with: Settings,
    probe: 'protocol',
  },
  'changes.history-kept': {
    area: 'changes',
    title: 'Every past revision can be read, with no gap between them.',
    with: Nothing,
    probe: 'api',
  },
});
