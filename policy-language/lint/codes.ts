/**
 * Every finding the linter can raise, by its stable code. Recorded decisions (`resolves:`), tests
 * and pages name these codes; a code is never reused for another meaning.
 *
 * An open `error` blocks apply. A `warning` should be decided. A `note` is worth knowing.
 */
import type { Severity } from '#language/finding';

type Meaning = { readonly severity: Severity; readonly means: string };

export const codes = {
  // What a document must never be, whatever its prose says.
  'purpose/without-basis': { severity: 'error', means: 'A purpose rests on no legal basis.' },
  'purpose/unused': {
    severity: 'note',
    means: 'A purpose that no data, cookie or recipient serves.',
  },
  'data/without-retention': { severity: 'error', means: 'Data is held without a limit of time.' },
  'data/without-purpose': { severity: 'error', means: 'Data is held for no purpose.' },
  'data/personal-unsealed': {
    severity: 'error',
    means: 'A personal field would be stored in clear.',
  },
  'data/events-without-fields': {
    severity: 'error',
    means: 'Events land where no field is declared.',
  },
  'data/event-declared-twice': {
    severity: 'error',
    means: 'One event name lands in two data types.',
  },
  'consent/default-on': {
    severity: 'error',
    means: 'A purpose that needs a yes is on without one.',
  },
  'consent/gate-without-basis': {
    severity: 'error',
    means: 'Consent is asked, yet is not the basis.',
  },
  'purpose/forbidden-use': { severity: 'error', means: 'A purpose has a use that is ruled out.' },
  'purpose/alias-taken': { severity: 'error', means: 'One name stands for two purposes.' },
  'reference/unknown': { severity: 'error', means: 'A name that the document does not declare.' },
  'retention/conflict': { severity: 'error', means: 'Limits that bind one value differ.' },
  'retention/tiers-differ': { severity: 'error', means: 'Active plus archive is not the total.' },
  'retention/several-stated': { severity: 'error', means: 'The prose states several lengths.' },
  'placeholder/unfilled': { severity: 'error', means: 'A placeholder was never filled in.' },
  'quantity/undefined': {
    severity: 'error',
    means: 'A length or rate is promised without a number.',
  },
  'quantity/no-epsilon': { severity: 'error', means: 'Noise is promised without how much.' },
  'prose/not-utf8': { severity: 'error', means: 'The prose is not saved as UTF-8.' },
  'number/differs': { severity: 'error', means: 'The sentence and the enforced value differ.' },
  'promise/unbound': { severity: 'error', means: 'Nothing makes the sentence true.' },
  'promise/duplicate-id': { severity: 'error', means: 'Two promises share an id.' },
  'control/unknown': { severity: 'error', means: 'The catalogue has no such control.' },
  'control/parameters': { severity: 'error', means: 'The control cannot take these parameters.' },
  'control/without-promise': {
    severity: 'note',
    means: 'Something is enforced that nobody promised.',
  },
  'config/unknown-path': {
    severity: 'error',
    means: 'The promise points at a value that is absent.',
  },
  'quote/not-on-line': { severity: 'error', means: 'The quote does not stand on its line.' },
  'prose/line-not-covered': {
    severity: 'error',
    means: 'A published line that no promise quotes.',
  },
  'prose/contact-undeclared': {
    severity: 'warning',
    means: 'An address in print, not in the document.',
  },
  'prose/table-row-short': {
    severity: 'error',
    means: 'A table row has fewer cells than its header.',
  },
  'resolution/unused': {
    severity: 'warning',
    means: 'A decision about a finding that is not there.',
  },
  'section/missing-rights': { severity: 'warning', means: 'The prose names no rights of people.' },
  'section/missing-contact': {
    severity: 'warning',
    means: 'The prose names no way to reach anyone.',
  },
  'section/missing-retention': {
    severity: 'warning',
    means: 'The prose states no retention in numbers.',
  },
  'section/missing-officer': {
    severity: 'warning',
    means: 'The prose names no data protection officer.',
  },

  // Claims that are not so, whoever makes them.
  'false-claim/fernet-is-aes-128': {
    severity: 'error',
    means: 'Fernet is AES-128, never AES-256.',
  },
  'false-claim/multi-key-vault': {
    severity: 'error',
    means: 'Several keys are claimed, one is used.',
  },
  'false-claim/hashed-address': { severity: 'error', means: 'A hashed address can be guessed.' },
  'false-claim/hashed-email': { severity: 'error', means: 'A hashed e-mail is a pseudonym.' },
  'false-claim/anonymised-events': {
    severity: 'error',
    means: 'Rows about one person are not anonymous.',
  },
  'false-claim/certificates': {
    severity: 'error',
    means: 'A tick is a claim until evidence is shown.',
  },
  'security/bcrypt-truncates': {
    severity: 'error',
    means: 'bcrypt reads 72 bytes and drops the rest.',
  },
  'security/token-not-revocable': { severity: 'error', means: 'A signed token outlives a logout.' },

  // Sentences that cannot all be true together.
  'contradiction/sealing-classes': {
    severity: 'error',
    means: 'Unreadable, yet used and corrected.',
  },
  'contradiction/backup-outlives-deletion': {
    severity: 'error',
    means: 'A backup outlives the promise.',
  },
  'contradiction/audit-outlives-erasure': {
    severity: 'error',
    means: 'The audit log outlives erasure.',
  },
  'contradiction/purge-and-backups': {
    severity: 'error',
    means: 'Purged at once, yet in the backups.',
  },
  'contradiction/shared-audit-view': {
    severity: 'error',
    means: 'One sees all acts of all others.',
  },
  'contradiction/transfer-tools': { severity: 'error', means: 'Two transfer tools for one route.' },
  'contradiction/content-not-stored': {
    severity: 'error',
    means: 'Content is read, yet never stored.',
  },
  'contradiction/immediate-and-recoverable': {
    severity: 'error',
    means: 'Gone at once, yet recoverable.',
  },
  'contradiction/address-still-needed': {
    severity: 'error',
    means: 'Addresses go, yet limits need them.',
  },
  'contradiction/shared-by-default': {
    severity: 'error',
    means: 'Complete separation, shared by default.',
  },
  'contradiction/default-on-under-consent': {
    severity: 'error',
    means: 'Consent is required, on by default.',
  },
  'contradiction/withdraw-all': {
    severity: 'error',
    means: 'All consent ends, yet a part is required.',
  },
  'contradiction/location': { severity: 'error', means: 'No location is held, yet a region is.' },
  'contradiction/gradient-sharing': {
    severity: 'error',
    means: 'Learning together without sharing.',
  },
  'contradiction/fingerprint': {
    severity: 'error',
    means: 'A fingerprint is taken, nobody tracked.',
  },

  // Sentences that can be read in two ways.
  'ambiguity/sharing-scope': { severity: 'warning', means: 'Is a processor a third party?' },
  'ambiguity/notice-channel': { severity: 'warning', means: 'How does a notice reach everyone?' },
  'ambiguity/age-by-jurisdiction': { severity: 'warning', means: 'Which age, and where?' },
  'ambiguity/do-not-track-scope': { severity: 'warning', means: 'Does it stop processors too?' },
  'ambiguity/incident-clock-start': { severity: 'warning', means: 'When does the clock start?' },
  'ambiguity/incident-clock-unusual': {
    severity: 'warning',
    means: 'A clock unlike that of the law.',
  },
  'ambiguity/configurable-value': { severity: 'warning', means: 'The number in print may change.' },
  'ambiguity/accepted-work-order': {
    severity: 'warning',
    means: 'What is billed has no definition.',
  },
  'ambiguity/backup-purge-start': {
    severity: 'warning',
    means: 'The days to purge have no start.',
  },
  'ambiguity/enrichment-always-on': {
    severity: 'warning',
    means: 'An enrichment without a switch.',
  },
  'ambiguity/replica-elsewhere': { severity: 'warning', means: 'Copies live in another region.' },
  'ambiguity/service-identities': {
    severity: 'warning',
    means: 'Names of sibling services must agree.',
  },
  'ambiguity/thresholds-differ': {
    severity: 'warning',
    means: 'Several thresholds for one protection.',
  },
  'ambiguity/preference-names': { severity: 'warning', means: 'One preference goes by two names.' },
  'ambiguity/range-is-instant': {
    severity: 'warning',
    means: 'A range is written as one instant.',
  },
  'ambiguity/delete-without-id': { severity: 'warning', means: 'Deletion needs an id nobody has.' },
} as const satisfies Record<string, Meaning>;

export type FindingCode = keyof typeof codes;
