/** Sentences that two readers will read in two ways. */
import { claims } from './claim.ts';

export const ambiguitiesOfPeople = claims([
  {
    code: 'ambiguity/sharing-scope',
    says: ['shar', /zero-sharing/i],
    beside: [['data', /data cent(?:er|re)s|processing agreements|service providers/i]],
    message: 'Nothing is shared with third parties, yet processors hold the data.',
    decide: '"share" means recipients that are no processors; every host is registered',
  },
  {
    code: 'ambiguity/notice-channel',
    says: ['email', /email address \(optional/i],
    beside: [['notification', /notification/i]],
    message: 'Notices are promised to everyone, and an address is optional.',
    decide: 'a notice in the application, with proof of delivery, for people without e-mail',
  },
  {
    code: 'ambiguity/age-by-jurisdiction',
    says: ['under', /(?:users|children|minors) under (?:the age of )?(\d{1,2})/i],
    message: 'The age of consent differs by country; one sentence has to serve all.',
    decide: 'age.minimum and age.regions, asked after the region is known',
  },
  {
    code: 'ambiguity/do-not-track-scope',
    says: ['not sharing data', /not sharing data with third parties/i],
    beside: [
      ['do not track', /do not track/i],
      ['service providers', /service providers/i],
    ],
    message: 'Under the signal nothing goes to third parties, yet some processors are necessary.',
    decide: 'the signal stops optional recipients; necessary processors go on',
  },
  {
    code: 'ambiguity/incident-clock-start',
    says: [
      'notif',
      /notif\w*\b.{0,60}(?:within|\(<|<) ?(?:a reasonable|\d+ (?:hours|days|minutes))/i,
    ],
    unless: [['aware', /becoming aware|after discovery/i]],
    message: 'The hours to a notification count from a moment that the sentence does not name.',
    decide: 'incidents.starts: awareness, detection or confirmation',
  },
  {
    code: 'ambiguity/incident-clock-unusual',
    says: ['notification (<', /notification \(< (?!72 )\d+ hours\)/i],
    message: 'The clock differs from the 72 hours of the law, and from other services here.',
    decide: 'clocks are values of each policy; the shorter one binds',
  },
  {
    code: 'ambiguity/preference-names',
    says: ['errortracking', /errorTracking:/],
    beside: [
      ['productresearch', /productResearch:/],
      ['userresearch', /userResearch:/],
    ],
    message: 'The same choices go by other names further down; some stand in one list only.',
    decide: 'one purpose with aliases',
  },
  {
    code: 'ambiguity/delete-without-id',
    says: ['deleteuser', /deleteUser\(\s*\w*id/i],
    beside: [['anonymous', /anonymous-only|userIdentification: 'anonymous'/i]],
    message: 'Deletion asks for an id, and in anonymous mode nobody has one.',
    decide: 'the answer "nothing held", with proof that nothing can be linked',
  },
]);

export const ambiguitiesOfOperation = claims([
  {
    code: 'ambiguity/configurable-value',
    says: ['(configurable', /\d+ \w+ \(configurable/i],
    everywhere: true,
    message: 'The number in print is only a default.',
    decide: 'the page shows the live value',
  },
  {
    code: 'ambiguity/accepted-work-order',
    says: ['accepted work order', /per accepted work order/i],
    message: 'Money depends on the word "accepted", which nothing defines.',
    decide: 'one state, reached by one transition, counted once',
  },
  {
    code: 'ambiguity/backup-purge-start',
    says: ['backup', /backups? \(within \d+ days\)/i],
    message: 'The days until backups are clean count from a moment that is not named.',
    decide: 'keys destroyed at the hard delete: true from either start',
  },
  {
    code: 'ambiguity/replica-elsewhere',
    says: ['replicated', /replicated to [\w-]+/i],
    message: 'Copies live in another region and at the edge; residency and deletion must follow.',
    decide: 'no residency is promised, and deletions reach every copy',
  },
  {
    code: 'ambiguity/range-is-instant',
    says: ['daterange', /dateRange: '[^'/]*T[^'/]*'/],
    message: 'A range is written as one instant.',
    decide: 'the instant is the start; the end is now',
  },
]);
