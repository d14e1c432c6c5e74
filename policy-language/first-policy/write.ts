import { durationInWords, parseDuration } from '#language/duration';
import type { FirstPolicy, Kept } from './answers.ts';
import { sentencesOf } from './sentences.ts';

const SERVICE = /^[a-z][a-z0-9-]{0,29}[a-z0-9]$/;
const NAME = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,120}$/u;
const DAYS_MAX = 3_650;

/** What is wrong with the answers, as a sentence; undefined when a policy can be written. */
export function firstPolicyComplaint(answers: FirstPolicy): string | undefined {
  const { service, name, email, minimumAge, kept } = answers;
  if (!SERVICE.test(service)) return 'A service is named with 2 to 31 of a-z, 0-9 and hyphens.';
  if (!NAME.test(name)) return 'Name who runs the service, in at most 120 characters.';
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) return 'Give an e-mail address that people reach.';
  if (!Number.isInteger(minimumAge) || minimumAge < 13 || minimumAge > 21)
    return 'The youngest age is a whole number from 13 to 21.';
  if (kept.length === 0) return 'Name at least one kind of event.';
  const wrong = kept.find(({ days }) => !Number.isInteger(days) || days < 1 || days > DAYS_MAX);
  if (wrong) return `${wrong.title} are kept for 1 to ${DAYS_MAX} days.`;
  return undefined;
}

const quoted = (text: string) => JSON.stringify(text);

function dataOf({ id, title, events, fields, days, optional }: Kept): string {
  return [
    `  ${id}:`,
    `    title: ${quoted(title)}`,
    '    from: events',
    `    event-names: [${events.map(quoted).join(', ')}]`,
    '    categories: [user.behavior]',
    `    purposes: [${optional ? 'improvement' : 'service-delivery'}]`,
    ...(optional ? ['    consent-purpose: improvement'] : []),
    `    retain: P${days}D`,
    '    key: subject',
    '    fields:',
    ...Object.entries(fields).map(([name, type]) => `      ${name}: ${type}`),
  ].join('\n');
}

function purposesOf(kept: readonly Kept[]): string[] {
  const needed =
    '  service-delivery: { title: Running the service, use: essential.service, basis: contract, required: true }';
  const optional =
    '  improvement: { title: Making the service better, use: analytics.reporting, basis: consent, optional: true, default: off }';
  return kept.some((one) => one.optional) ? [needed, optional] : [needed];
}

const days = (text: string) => durationInWords(parseDuration(text));

/** @returns the document, and the prose that lies beside it under the name `<service>.md`. */
export function firstPolicy(answers: FirstPolicy): { yaml: string; prose: string } {
  const { service, name, email, effective, minimumAge, kept } = answers;
  const hasOptional = kept.some(({ optional }) => optional);
  const { prose, promises, silent } = sentencesOf(answers, days);
  const yaml = `# The policy of ${service}. It is the program: what stands here is what is enforced and proven.
#   npm run troth -- lint policies/${service}.yaml      what cannot all be true in it
#   npm run troth -- plan policies/${service}.yaml      what a change would do
#   npm run troth -- apply policies/${service}.yaml     puts it in force
# A running server gives editors the schema: /policy.schema.json
troth: 1
service: ${service}
title: Privacy policy
version: "1.0"
effective: ${effective}
reviewed: ${effective}
languages: [en]
prose: ${service}.md
# Lines of the prose that promise nothing: headings, and sentences that only explain.
silent-lines: "${silent}"

# Who answers for the data, and where people reach them.
controller:
  name: ${quoted(name)}
  contacts:
    privacy: { email: ${quoted(email)}, answers-within: P30D }
    dpo: { title: Privacy officer, email: ${quoted(email)} }

# Events of somebody who is known to be younger are refused.
age: { minimum: ${minimumAge}, below: refuse }

# Why data is used. \`use\` and \`basis\` are words of Fideslang and of the GDPR (article 6).
purposes:
${purposesOf(kept).join('\n')}

# What is held, and how long. A field that does not stand here is dropped at the door and counted.
# A personal field is sealed under the person's own key: { type: string, max: 254, seal: subject,
# category: user.contact.email }.
data:
${kept.map(dataOf).join('\n')}

rights:
  access: { within: P30D, formats: [json] }
  erasure: { within: P30D, recoverable: P0D, certificate: true }
${
  hasOptional
    ? `
# A browser that says "do not sell or share" (Global Privacy Control) has the last word.
consent:
  notice: { version: "1.0", languages: [en] }
  signals:
    gpc: { withdraws: [improvement], recipients: all }
  precedence: [gpc, consent]
`
    : ''
}
# How people are told apart: not at all, as the same one again, or by who they are.
identify:
  modes: [anonymous, pseudonymous]
  default: pseudonymous

# The address is in memory until the country is known, and gone then. Texts lose what names people.
ingest:
  address: { use: geolocation, after: drop }
  enrich:
    geolocation: { default: on, can-disable: true, precision: country }
    device: { default: on, can-disable: true, precision: class }
    session: { default: on, can-disable: true }
  strip: [email, phone, card, iban, address, person-name, query-string]
  limits: { events-per-second: 500, batch: 500, body: 512KB }

# A figure about fewer people than this is not shown.
insights: { k: 10 }

security:
  tls: "1.3"
  at-rest: AES-256-GCM
  keys: { rotate: P25D, subject-keys: true, outside-backups: true }

# What may never be done, whatever anybody agrees to.
forbidden-uses: [sales, marketing.advertising, train_ai_system]

# Each sentence of the prose, with its line, bound to what keeps it. Add one here when you add one
# there; a sentence that nothing keeps is a gap, and says so.
promises:
${promises.join('\n')}
`;
  return { yaml, prose };
}
