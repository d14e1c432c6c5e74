/** Sentences that cannot all be true together. */
import { claims } from './claim.ts';

export const contradictionsOfStorage = claims([
  {
    code: 'contradiction/sealing-classes',
    says: ['client-side', /client-side encryption/i],
    beside: [
      ['credential', /credentials?/i],
      ['rectification', /rectification|modify incorrect/i],
    ],
    message: 'What only the client can read, the service can neither use nor correct.',
    decide: 'two classes: vault (used, never read) and end-to-end (replaced, exported sealed)',
  },
  {
    code: 'contradiction/backup-outlives-deletion',
    says: ['purged within', /purged within (\d+) days/i],
    beside: [
      ['backups', /backups?\W+\d+ days/i],
      ['deleted data', /deleted data\W+removed from backups/i],
    ],
    message: 'A backup taken on the last day before the purge lives on for its own retention.',
    decide: 'keys outside the backups, destroyed within the promised time',
  },
  {
    code: 'contradiction/audit-outlives-erasure',
    says: ['audit', /audit events\W+\d+ years?/i],
    beside: [['deletion', /complete account deletion|purged within|right to erasure/i]],
    message: 'Audit entries about a person outlive the deletion of that person.',
    decide:
      'pseudonyms and salted commitments in entries; the chain survives shredding and the cut',
  },
  {
    code: 'contradiction/purge-and-backups',
    says: ['immediately purged', /(?:credentials?|tokens?|keys?)\b.*immediately purged/i],
    beside: [['backups', /backups?/i]],
    message: 'What was purged at once from the vault still stands in the backups.',
    decide: 'keys of credentials live outside data backups and die with the revocation',
  },
  {
    code: 'contradiction/shared-audit-view',
    says: ['all actions', /see all actions taken in your workspace/i],
    message: 'Showing one member all actions of all others discloses what those others did.',
    decide: 'redaction by role: who is shown to whom',
  },
  {
    code: 'contradiction/content-not-stored',
    says: [
      'not intentionally store',
      /do not (?:intentionally )?store .*(?:details|content|information)/i,
    ],
    beside: [['logs', /(?:automation|activity) .*logs/i]],
    message: 'The automation reads the very content that is never to be stored, and keeps logs.',
    decide: 'content in memory only; logs hold ids and outcomes',
  },
  {
    code: 'contradiction/immediate-and-recoverable',
    says: ['immediate', /deletion\b.*\bimmediate|immediate deletion/i],
    beside: [['recoverable', /recoverable for \d+ days/i]],
    everywhere: true,
    message: 'Deletion takes effect at once, and can be undone for days.',
    decide:
      'hidden at once, destroyed at day N, with N short enough to finish in the promised time',
  },
]);

export const contradictionsOfUse = claims([
  {
    code: 'contradiction/transfer-tools',
    says: ['article 49', /Article 49/i],
    beside: [['contractual clauses', /standard contractual clauses/i]],
    message: 'Article 49 holds only where no other tool does; the clauses are named beside it.',
    decide: 'one transfer tool for each route',
  },
  {
    code: 'contradiction/address-still-needed',
    says: ['ip addresses', /IP addresses\W+anonymi[sz]ed after geolocation/i],
    beside: [['rate', /\bRate\b|rate limit/i]],
    message: 'The address is gone after geolocation, yet limits and security work by address.',
    decide: 'in memory only, or a keyed hash with a short life',
  },
  {
    code: 'contradiction/shared-by-default',
    says: ['by default', /shared by default/i],
    beside: [['separation', /complete separation/i]],
    message: 'Organisations are completely separate, yet aggregates of them are shared by default.',
    decide: 'through the anonymity gate only, each release on record',
  },
  {
    code: 'contradiction/withdraw-all',
    says: ['withdraw all', /withdraw all consent/i],
    beside: [['required', /true,?\s*\/\/\s*required|required: true/i]],
    message: 'Withdrawing all consent cannot stop what is required.',
    decide: 'the required part rests on another basis, stated on the receipt',
  },
  {
    code: 'contradiction/location',
    says: ['location', /locationTracking: false|no location data/i],
    beside: [['region', /location\.region|\bregion:/i]],
    message: 'No location is collected, yet a region is kept.',
    decide: 'a coarse region from a look-up, labelled as such',
  },
  {
    code: 'contradiction/gradient-sharing',
    says: ['gradientsharing', /gradientSharing: false/i],
    beside: [['federated', /federated/i]],
    message: 'Learning together needs updates to leave the device, and none may.',
    decide: 'masked, aggregated and noised updates only; never a single one in clear',
  },
  {
    code: 'contradiction/fingerprint',
    says: ['fingerprint', /browser fingerprint/i],
    beside: [['no tracking', /no tracking/i]],
    message: 'A fingerprint is collected, and nobody is tracked.',
    decide: 'reduced values only, never an identifier',
  },
  {
    code: 'contradiction/default-on-under-consent',
    says: ['performancemonitoring', /performanceMonitoring: true/i],
    beside: [['consentrequired', /consentRequired: true/i]],
    message: 'An optional purpose is on from the start where consent is required first.',
    decide: 'off until the person agrees, wherever consent is required',
  },
]);
