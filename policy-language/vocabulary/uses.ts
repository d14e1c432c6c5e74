/**
 * Uses of data: a closed part of Fideslang, each with the nearest purpose of the Data Privacy
 * Vocabulary. A use that starts with another (`marketing.advertising.serving`) falls under it.
 *
 * @see Fideslang 3.1 (CC-BY-4.0), data uses; DPV 2.3, purposes.
 */
const DPV = 'https://w3id.org/dpv#';

type Use = { readonly title: string; readonly iri: string };

export const uses = {
  essential: { title: 'Essential', iri: `${DPV}ServiceProvision` },
  'essential.service': { title: 'Essential: service', iri: `${DPV}ServiceProvision` },
  'essential.service.authentication': {
    title: 'Essential: service: authentication',
    iri: `${DPV}IdentityAuthentication`,
  },
  'essential.service.security': {
    title: 'Essential: service: security',
    iri: `${DPV}EnforceSecurity`,
  },
  'essential.service.payment_processing': {
    title: 'Essential: service: payment processing',
    iri: `${DPV}PaymentManagement`,
  },
  'essential.service.operations': {
    title: 'Essential: service: operations',
    iri: `${DPV}ServiceProvision`,
  },
  'essential.service.operations.support': {
    title: 'Essential: service: operations: support',
    iri: `${DPV}CommunicationForCustomerCare`,
  },
  'essential.service.operations.improve': {
    title: 'Essential: service: operations: improve',
    iri: `${DPV}ServiceOptimisation`,
  },
  'essential.service.notifications': {
    title: 'Essential: service: notifications',
    iri: `${DPV}CommunicationManagement`,
  },
  'essential.service.notifications.email': {
    title: 'Essential: service: notifications: email',
    iri: `${DPV}CommunicationManagement`,
  },
  'essential.service.notifications.sms': {
    title: 'Essential: service: notifications: sms',
    iri: `${DPV}CommunicationManagement`,
  },
  'essential.service.upgrades': {
    title: 'Essential: service: upgrades',
    iri: `${DPV}ImproveExistingProductsAndServices`,
  },
  'essential.fraud_detection': {
    title: 'Essential: fraud detection',
    iri: `${DPV}FraudPreventionAndDetection`,
  },
  'essential.legal_obligation': {
    title: 'Essential: legal obligation',
    iri: `${DPV}LegalCompliance`,
  },
  functional: { title: 'Functional', iri: `${DPV}RequestedServiceProvision` },
  'functional.storage': { title: 'Functional: storage', iri: `${DPV}RecordManagement` },
  'functional.service': { title: 'Functional: service', iri: `${DPV}RequestedServiceProvision` },
  'functional.service.improve': {
    title: 'Functional: service: improve',
    iri: `${DPV}ServiceOptimisation`,
  },
  analytics: { title: 'Analytics', iri: `${DPV}ServiceUsageAnalytics` },
  'analytics.reporting': { title: 'Analytics: reporting', iri: `${DPV}ServiceUsageAnalytics` },
  'analytics.reporting.system': {
    title: 'Analytics: reporting: system',
    iri: `${DPV}ServiceUsageAnalytics`,
  },
  'analytics.reporting.system.performance': {
    title: 'Analytics: reporting: system: performance',
    iri: `${DPV}ServiceOptimisation`,
  },
  'analytics.reporting.ad_performance': {
    title: 'Analytics: reporting: ad performance',
    iri: `${DPV}Advertising`,
  },
  'analytics.reporting.campaign_insights': {
    title: 'Analytics: reporting: campaign insights',
    iri: `${DPV}Marketing`,
  },
  'analytics.reporting.content_performance': {
    title: 'Analytics: reporting: content performance',
    iri: `${DPV}ServiceUsageAnalytics`,
  },
  personalize: { title: 'Personalize', iri: `${DPV}Personalisation` },
  'personalize.content': { title: 'Personalize: content', iri: `${DPV}ServicePersonalisation` },
  'personalize.system': { title: 'Personalize: system', iri: `${DPV}UserInterfacePersonalisation` },
  'personalize.communications': {
    title: 'Personalize: communications',
    iri: `${DPV}Personalisation`,
  },
  marketing: { title: 'Marketing', iri: `${DPV}Marketing` },
  'marketing.communications': { title: 'Marketing: communications', iri: `${DPV}DirectMarketing` },
  'marketing.communications.email': {
    title: 'Marketing: communications: email',
    iri: `${DPV}DirectMarketing`,
  },
  'marketing.communications.sms': {
    title: 'Marketing: communications: sms',
    iri: `${DPV}DirectMarketing`,
  },
  'marketing.advertising': { title: 'Marketing: advertising', iri: `${DPV}Advertising` },
  'marketing.advertising.first_party': {
    title: 'Marketing: advertising: first party',
    iri: `${DPV}Advertising`,
  },
  'marketing.advertising.third_party': {
    title: 'Marketing: advertising: third party',
    iri: `${DPV}Advertising`,
  },
  'marketing.advertising.profiling': {
    title: 'Marketing: advertising: profiling',
    iri: `${DPV}TargetedAdvertising`,
  },
  'marketing.advertising.serving': {
    title: 'Marketing: advertising: serving',
    iri: `${DPV}Advertising`,
  },
  third_party_sharing: { title: 'Third party sharing', iri: `${DPV}CommercialPurpose` },
  'third_party_sharing.legal_obligation': {
    title: 'Third party sharing: legal obligation',
    iri: `${DPV}LegalCompliance`,
  },
  sales: { title: 'Sales', iri: `${DPV}SellDataToThirdParties` },
  train_ai_system: { title: 'Train ai system', iri: `${DPV}ResearchAndDevelopment` },
  collect: { title: 'Collect', iri: `${DPV}RecordManagement` },
  finance: { title: 'Finance', iri: `${DPV}AccountManagement` },
  operations: { title: 'Operations', iri: `${DPV}OrganisationGovernance` },
  employment: { title: 'Employment', iri: `${DPV}HumanResourceManagement` },
} as const satisfies Record<string, Use>;

export type UseKey = keyof typeof uses;
export const USE_KEYS = Object.keys(uses) as [UseKey, ...UseKey[]];

/** True when `use` is `parent` or lies below it. */
export function fallsUnder(use: UseKey, parent: UseKey): boolean {
  return use === parent || use.startsWith(`${parent}.`);
}
