/**
 * Legal bases and rights, each with the article that it stands on.
 *
 * @see GDPR Art. 6(1), 7(3), 12-22, 77; DPV 2.3 extension EU-GDPR; CCPA §§ 1798.120 and 1798.125.
 */
const GDPR = 'https://w3id.org/dpv/legal/eu/gdpr#';

type Concept = { readonly title: string; readonly iri: string };

export const bases = {
  consent: { title: 'Consent', iri: `${GDPR}A6-1-a` },
  contract: { title: 'Contract', iri: `${GDPR}A6-1-b` },
  'legal-obligation': { title: 'Legal obligation', iri: `${GDPR}A6-1-c` },
  'vital-interests': { title: 'Vital interests', iri: `${GDPR}A6-1-d` },
  'public-interest': { title: 'Public interest', iri: `${GDPR}A6-1-e` },
  'legitimate-interests': { title: 'Legitimate interests', iri: `${GDPR}A6-1-f` },
} as const satisfies Record<string, Concept>;

export type BasisKey = keyof typeof bases;
export const LEGAL_BASES = Object.keys(bases) as [BasisKey, ...BasisKey[]];

export const rights = {
  informed: { title: 'To be informed', iri: `${GDPR}A13` },
  access: { title: 'Access', iri: `${GDPR}A15` },
  rectification: { title: 'Rectification', iri: `${GDPR}A16` },
  erasure: { title: 'Erasure', iri: `${GDPR}A17` },
  restriction: { title: 'Restriction of processing', iri: `${GDPR}A18` },
  portability: { title: 'Portability', iri: `${GDPR}A20` },
  objection: { title: 'Objection', iri: `${GDPR}A21` },
  'automated-decisions': { title: 'Review of automated decisions', iri: `${GDPR}A22` },
  'withdraw-consent': { title: 'Withdrawal of consent', iri: `${GDPR}A7-3` },
  complaint: { title: 'Complaint to an authority', iri: `${GDPR}A77` },
  'opt-out-of-sale': { title: 'Opt-out of sale', iri: 'urn:ccpa:1798.120' },
  'non-discrimination': { title: 'Non-discrimination', iri: 'urn:ccpa:1798.125' },
} as const satisfies Record<string, Concept>;

export type RightKey = keyof typeof rights;
