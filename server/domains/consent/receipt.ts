/**
 * A receipt as others read it: the record of ISO/IEC TS 27560:2023 in the terms of the Data Privacy
 * Vocabulary, as JSON-LD. All of it is taken from the policy under which the person decided.
 *
 * @see https://w3id.org/dpv/guides/consent-27560; profiles record-eu-gdpr and receipt-eu-gdpr.
 */
import { bases, categories, type Policy, rights } from '@troth/policy-language';
import { noticeOf, purposesOf } from './decisions.ts';
import type { Receipt, SignalName } from './model.ts';
import type { PurposeRule } from './rules.ts';

const PROFILE = 'https://w3id.org/dpv/schema/dpv-27560#';

const CONTEXT = {
  dpv: 'https://w3id.org/dpv#',
  'eu-gdpr': 'https://w3id.org/dpv/legal/eu/gdpr#',
  dct: 'http://purl.org/dc/terms/',
  foaf: 'http://xmlns.com/foaf/0.1/',
  xsd: 'http://www.w3.org/2001/XMLSchema#',
} as const;

export type UnderPolicy = { readonly policy: Policy; readonly hash: string };
type Node = Readonly<Record<string, unknown>>;

const METHODS: Readonly<Record<Receipt['method'], string>> = {
  single: 'A decision about this purpose',
  preferences: 'A set of preferences',
  'withdraw-all': 'Withdrawal of every optional purpose',
  signal: 'A signal of the browser',
  replay: 'Replayed from the forget journal after a restore',
};

const SIGNAL_SOURCES: Readonly<Record<SignalName, string>> = {
  gpc: 'https://www.w3.org/TR/gpc/',
  dnt: 'https://www.w3.org/TR/tracking-dnt/',
  'do-not-sell': 'urn:ccpa:1798.120',
};

const time = (at: Date) => ({ '@type': 'xsd:dateTime', '@value': at.toISOString() });

function controllerOf({ controller }: Policy): Node {
  const contacts = Object.values(controller.contacts);
  return {
    '@type': 'dpv:DataController',
    'dpv:hasName': controller.name,
    ...(controller.address ? { 'dpv:hasAddress': controller.address } : {}),
    'dpv:hasContact': contacts.flatMap(({ email }) => (email ? [`mailto:${email}`] : [])),
    'dpv:hasRepresentative': Object.values(controller.representatives ?? {}).map(
      ({ name, email }) => ({ 'dpv:hasName': name, 'dpv:hasContact': `mailto:${email}` }),
    ),
  };
}

function personalDataOf(policy: Policy, types: readonly string[]): Node[] {
  return types.flatMap((id) => {
    const type = policy.data[id];
    if (!type) return [];
    return [
      {
        '@type': type.categories.map((category) => categories[category].iri),
        'dct:identifier': id,
        'dct:title': type.title,
      },
    ];
  });
}

function storageOf(policy: Policy, types: readonly string[]): Node[] {
  const places = Object.values(policy.locations ?? {}).map(({ title, region }) => ({
    '@type': 'dpv:StorageLocation',
    'dct:title': title,
    ...(region ? { 'dpv:hasLocation': region } : {}),
  }));
  const durations = types.flatMap((id) => {
    const limit = policy.compiled.data[id]?.retain;
    if (!limit) return [];
    return [
      { '@type': 'dpv:StorageDuration', 'dct:identifier': id, 'dpv:hasDuration': limit.text },
    ];
  });
  return [...places, ...durations, { '@type': 'dpv:StorageDeletion' }];
}

function recipientsOf(policy: Policy, purpose: string, types: readonly string[]): Node[] {
  return Object.entries(policy.recipients ?? {})
    .filter(([, { purpose: own, data }]) =>
      own === undefined ? data?.some((id) => types.includes(id)) : own === purpose,
    )
    .map(([id, { title, role, country }]) => ({
      '@type': role === 'processor' ? 'dpv:DataProcessor' : 'dpv:Recipient',
      'dct:identifier': id,
      'dpv:hasName': title,
      ...(country ? { 'dpv:hasLocation': country } : {}),
    }));
}

const rightsOf = (policy: Policy): Node[] =>
  Object.keys(policy.rights ?? {}).map((name) => ({
    '@id': rights[name as keyof typeof rights].iri,
    'dct:title': rights[name as keyof typeof rights].title,
  }));

/** How it is taken back: as the policy says, and by the call that always works. */
function controlOf(policy: Policy): Node {
  const { methods = [], path } = policy.rights?.['withdraw-consent'] ?? {};
  return {
    '@type': 'dpv:WithdrawConsent',
    'dpv:isExercisedAt': [
      `/v1/t/${policy.service}/consents/withdraw`,
      ...(path ? [path] : []),
      ...methods,
    ],
    'dct:conformsTo': { '@id': rights['withdraw-consent'].iri },
  };
}

/** The processing that was decided about. */
function processOf(policy: Policy, purpose: string): Node {
  const { title, description, basis } = policy.purposes[purpose] ?? {};
  const { useIri, data = [] } = policy.compiled.purposes[purpose] ?? {};
  return {
    '@type': 'dpv:Process',
    'dpv:hasPurpose': {
      '@type': useIri,
      'dct:identifier': purpose,
      'dct:title': title ?? purpose,
      ...(description ? { 'dct:description': description } : {}),
    },
    ...(basis ? { 'dpv:hasLegalBasis': { '@id': bases[basis].iri } } : {}),
    'dpv:hasPersonalData': personalDataOf(policy, data),
    'dpv:hasProcessing': [{ '@id': 'dpv:Collect' }, { '@id': 'dpv:Store' }, { '@id': 'dpv:Use' }],
    'dpv:hasDataController': controllerOf(policy),
    'dpv:hasStorageCondition': storageOf(policy, data),
    'dpv:hasRecipient': recipientsOf(policy, purpose, data),
    'dpv:hasJurisdiction': Object.keys(policy.regions ?? {}),
    'dpv:hasRight': rightsOf(policy),
    'dpv:hasConsentControl': controlOf(policy),
  };
}

/** What goes on all the same, and by what right: a withdrawal promises no more than it does. */
const stays = (policy: Policy, { id, basis }: PurposeRule): Node => ({
  '@type': 'dpv:Process',
  'dpv:hasPurpose': {
    '@type': policy.compiled.purposes[id]?.useIri,
    'dct:identifier': id,
    'dct:title': policy.purposes[id]?.title ?? id,
  },
  'dpv:hasLegalBasis': { '@id': bases[basis as keyof typeof bases].iri },
});

const eventOf = (receipt: Receipt): Node => ({
  '@type': `dpv:${receipt.status}`,
  'dct:identifier': receipt.id,
  'dpv:isIndicatedBy': { '@id': `urn:troth:subject:${receipt.subject}` },
  'dpv:hasIndicationMethod': receipt.signal
    ? { '@id': SIGNAL_SOURCES[receipt.signal] }
    : METHODS[receipt.method],
  'dpv:isIndicatedAtTime': time(receipt.givenAt),
  ...(receipt.expiresAt ? { 'dpv:hasExpiry': time(receipt.expiresAt) } : {}),
});

/**
 * Renders a receipt.
 *
 * @param under    the policy of the receipt's own revision, and its hash.
 * @param history  every receipt of the same person; those of other purposes are left out.
 */
export function renderReceipt(
  receipt: Receipt,
  { policy, hash }: UnderPolicy,
  history: readonly Receipt[] = [],
): Node {
  const { url } = policy.consent?.notice ?? {};
  const earlier = history.filter(
    ({ purpose, id }) => purpose === receipt.purpose && id !== receipt.id,
  );
  return {
    '@context': CONTEXT,
    '@id': `urn:uuid:${receipt.id}`,
    '@type': ['dpv:ConsentRecord', 'dpv:ConsentReceipt'],
    'dct:conformsTo': [`${PROFILE}record-eu-gdpr`, `${PROFILE}receipt-eu-gdpr`],
    'dct:identifier': receipt.id,
    'dct:issued': time(receipt.receivedAt),
    'dct:language': receipt.notice.language,
    'dpv:hasDataSubject': { '@id': `urn:troth:subject:${receipt.subject}` },
    'dpv:hasNotice': {
      '@type': 'dpv:ConsentNotice',
      'dct:hasVersion': receipt.notice.version,
      'dct:language': receipt.notice.language,
      'dct:title': policy.title,
      'dct:isVersionOf': `sha256:${hash}`,
      'dpv:isShown': receipt.notice.stated,
      'foaf:page': url ?? `/v1/t/${policy.service}/policy`,
    },
    'dpv:hasProcess': [processOf(policy, receipt.purpose)],
    'dpv:hasConsentStatus': [receipt, ...earlier].map(eventOf),
    'dpv:hasOtherProcess': purposesOf(policy).essential.map((rule) => stays(policy, rule)),
  };
}

/** A receipt in short, as the interface answers it. */
export function summariseReceipt(receipt: Receipt, { policy, hash }: UnderPolicy) {
  const { subject: _, givenAt, receivedAt, expiresAt, kind, ...rest } = receipt;
  return {
    ...rest,
    kind,
    basis: policy.purposes[receipt.purpose]?.basis ?? null,
    givenAt: givenAt.toISOString(),
    receivedAt: receivedAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    policy: { version: policy.version, hash },
    notices: noticeOf(policy),
    /** What goes on without consent, and on what basis. */
    staysUnder: Object.fromEntries(
      purposesOf(policy).essential.map(({ id, basis }) => [id, basis]),
    ),
  };
}
