/** Claims that are not so, each with the source that says so. */
import { claims } from './claim.ts';

export const falseClaims = claims([
  {
    // The Fernet specification: 128-bit AES in CBC mode; the 256-bit key is half signing key.
    code: 'false-claim/fernet-is-aes-128',
    says: ['fernet', /Fernet\W+(?:\w+\W+){0,3}?AES-?256/i],
    message: 'Fernet encrypts with AES-128-CBC; its 256 bits are an encryption and a signing key.',
    decide: 'AES-256-GCM in the vault, with an import path for Fernet tokens',
  },
  {
    code: 'false-claim/multi-key-vault',
    says: ['multi-key', /multi-key encryption/i],
    beside: [['fernet', /Fernet/i]],
    message:
      'Several keys are claimed, but a Fernet token is sealed by one; MultiFernet only rotates.',
    decide: 'wrap each credential under a tenant key and that under a root key',
  },
  {
    // The IPv4 space has 2^32 members: a plain hash of one is found by trying them all.
    code: 'false-claim/hashed-address',
    says: [
      'hash',
      /anonymi[sz]ed\W.*\bIP address\w*\W+(?:are )?hashed|IP address\w* hashed.*anonymi[sz]/i,
    ],
    message: 'A plain hash of an IP address can be found by trying all addresses: a pseudonym.',
    decide: 'a keyed hash whose key is destroyed each day, or the word "pseudonymised"',
  },
  {
    code: 'false-claim/hashed-email',
    says: ['email', /hash\w*\s*\(\s*[\w.]*email\s*\)/i],
    beside: [['anonymi', /anonymi[sz]/i]],
    message: 'A hash of an e-mail address can be guessed and links records: a pseudonym.',
    decide: 'a keyed hash under a key of the tenant, called pseudonymisation',
  },
  {
    code: 'false-claim/anonymised-events',
    says: ['anonymi', /\b(?:analytics|usage patterns)\b.*\(anonymi[sz]ed\)/i],
    when: (policy) =>
      Object.values(policy.data).some(({ from, key }) => from === 'events' && key === 'subject'),
    message: 'The rows beneath belong to one person each; only gated aggregates are anonymous.',
    decide: 'call raw rows personal, and only what passed the group threshold anonymised',
  },
  {
    code: 'false-claim/certificates',
    says: ['✅', /✅\s*(?:GDPR|CCPA|PIPEDA|SOC|PCI|ISO|HIPAA)/],
    everywhere: true,
    message: 'A tick is a claim; the page may show only what evidence or an attestation carries.',
    decide: 'rendered from evidence, amber when it lapses',
  },
  {
    // Provos and Mazières 1999: the key schedule of bcrypt takes 72 bytes.
    code: 'security/bcrypt-truncates',
    says: ['bcrypt', /\bbcrypt\b/i],
    message: 'bcrypt reads 72 bytes of a password and silently drops the rest.',
    decide: 'security.password.long-input: prehash or reject, stated on the page',
  },
  {
    code: 'security/token-not-revocable',
    says: ['jwt', /\bJWTs?\b.*\bexpir/i],
    message: 'A signed token stays valid until it expires, whatever a logout or an erasure says.',
    decide: 'a revocation list that is asked on each request',
  },
]);
