/**
 * Categories of data: a closed part of Fideslang, each with the nearest concept of the Data Privacy
 * Vocabulary. "Nearest" is deliberate: where DPV has no equal, the broader concept is named.
 *
 * @see Fideslang 3.1 (CC-BY-4.0), data categories; DPV 2.3 and its extension PD (personal data).
 */
const PD = 'https://w3id.org/dpv/pd#';
const DPV = 'https://w3id.org/dpv#';

type Category = { readonly title: string; readonly iri: string };

export const categories = {
  user: { title: 'User', iri: `${DPV}PersonalData` },
  'user.unique_id': { title: 'Unique id', iri: `${PD}Identifier` },
  'user.unique_id.pseudonymous': {
    title: 'Unique id: pseudonymous',
    iri: `${DPV}PseudonymisedData`,
  },
  'user.name': { title: 'Name', iri: `${PD}Name` },
  'user.name.first': { title: 'Name: first', iri: `${PD}Name` },
  'user.name.last': { title: 'Name: last', iri: `${PD}Name` },
  'user.contact': { title: 'Contact', iri: `${PD}Contact` },
  'user.contact.email': { title: 'Contact: email', iri: `${PD}EmailAddress` },
  'user.contact.phone_number': { title: 'Contact: phone number', iri: `${PD}TelephoneNumber` },
  'user.contact.address': { title: 'Contact: address', iri: `${PD}PhysicalAddress` },
  'user.contact.address.street': { title: 'Contact: address: street', iri: `${PD}Street` },
  'user.contact.address.city': { title: 'Contact: address: city', iri: `${PD}City` },
  'user.contact.address.state': { title: 'Contact: address: state', iri: `${PD}Region` },
  'user.contact.address.country': { title: 'Contact: address: country', iri: `${PD}Country` },
  'user.contact.address.postal_code': {
    title: 'Contact: address: postal code',
    iri: `${PD}PostalCode`,
  },
  'user.contact.organization': { title: 'Contact: organization', iri: `${PD}Professional` },
  'user.contact.url': { title: 'Contact: url', iri: `${PD}Contact` },
  'user.authorization': { title: 'Authorization', iri: `${PD}Authenticating` },
  'user.authorization.credentials': {
    title: 'Authorization: credentials',
    iri: `${PD}Authenticating`,
  },
  'user.authorization.password': { title: 'Authorization: password', iri: `${PD}Password` },
  'user.authorization.biometric': { title: 'Authorization: biometric', iri: `${PD}Biometric` },
  'user.device': { title: 'Device', iri: `${PD}DeviceBased` },
  'user.device.ip_address': { title: 'Device: ip address', iri: `${PD}IPAddress` },
  'user.device.device_id': { title: 'Device: device id', iri: `${PD}UID` },
  'user.device.cookie': { title: 'Device: cookie', iri: `${PD}DeviceBased` },
  'user.device.cookie_id': { title: 'Device: cookie id', iri: `${PD}UID` },
  'user.location': { title: 'Location', iri: `${PD}Location` },
  'user.location.imprecise': { title: 'Location: imprecise', iri: `${PD}Location` },
  'user.location.precise': { title: 'Location: precise', iri: `${PD}GPSCoordinate` },
  'user.behavior': { title: 'Behavior', iri: `${PD}Behavioral` },
  'user.behavior.browsing_history': {
    title: 'Behavior: browsing history',
    iri: `${PD}BrowsingBehavior`,
  },
  'user.behavior.search_history': {
    title: 'Behavior: search history',
    iri: `${PD}BrowsingBehavior`,
  },
  'user.behavior.purchase_history': {
    title: 'Behavior: purchase history',
    iri: `${PD}PurchasesAndSpendingHabit`,
  },
  'user.behavior.media_consumption': {
    title: 'Behavior: media consumption',
    iri: `${PD}TVViewingBehavior`,
  },
  'user.telemetry': { title: 'Telemetry', iri: `${PD}ServiceConsumptionBehavior` },
  'user.account': { title: 'Account', iri: `${PD}AccountIdentifier` },
  'user.account.settings': { title: 'Account: settings', iri: `${PD}Preference` },
  'user.account.username': { title: 'Account: username', iri: `${PD}Username` },
  'user.content': { title: 'Content', iri: `${PD}Communication` },
  'user.content.private': { title: 'Content: private', iri: `${PD}Communication` },
  'user.content.public': { title: 'Content: public', iri: `${PD}SocialMediaCommunication` },
  'user.content.self_image': { title: 'Content: self image', iri: `${PD}Picture` },
  'user.payment': { title: 'Payment', iri: `${PD}Transactional` },
  'user.financial': { title: 'Financial', iri: `${PD}Financial` },
  'user.financial.credit_card': { title: 'Financial: credit card', iri: `${PD}CreditCardNumber` },
  'user.financial.bank_account': { title: 'Financial: bank account', iri: `${PD}BankAccount` },
  'user.childrens': { title: 'Childrens', iri: `${DPV}Child` },
  'user.privacy_preferences': { title: 'Privacy preferences', iri: `${PD}PrivacyPreference` },
  'user.workplace': { title: 'Workplace', iri: `${PD}CurrentEmployment` },
  'user.job_title': { title: 'Job title', iri: `${PD}Job` },
  system: { title: 'System', iri: `${DPV}NonPersonalData` },
  'system.authentication': { title: 'Authentication', iri: `${DPV}NonPersonalData` },
  'system.operations': { title: 'Operations', iri: `${DPV}NonPersonalData` },
} as const satisfies Record<string, Category>;

export type CategoryKey = keyof typeof categories;
export const CATEGORY_KEYS = Object.keys(categories) as [CategoryKey, ...CategoryKey[]];

/** True when the category is about a person, so that its bytes must be sealed. */
export function isPersonal(category: CategoryKey): boolean {
  return category !== 'system' && !category.startsWith('system.');
}
