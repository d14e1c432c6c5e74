/**
 * Names of places that hold personal content whatever they contain. Asked only where the policy
 * declares no field: inside JSON values, and among traits.
 */
import type { Classifier } from './classifiers.ts';

const WORDS: Readonly<Record<Classifier, string>> = {
  email: 'email emailaddress mail mailaddress',
  phone: 'phone mobile telephone tel fax msisdn cell phonenumber phoneno mobilenumber faxnumber',
  card: 'card creditcard cc pan cvv cvc cardnumber cardno creditcardnumber ccnumber cardcode',
  iban: 'iban bic swift account accountnumber accountno bankaccount sortcode routingnumber',
  address: `address street addr postalcode postcode zip zipcode addressline lat latitude lng lon
    long longitude coords coordinates geo geolocation gps location`,
  message: `message messages body content contents text comment comments note notes document
    documents chat dm reply transcript prompt completion`,
  'query-string':
    'q query search searchquery searchterm searchtext keyword keywords term querystring',
  'person-name': `name firstname lastname middlename fullname givenname familyname surname
    maidenname displayname realname username nickname birthday birthdate dob dateofbirth twitter
    facebook instagram linkedin tiktok snapchat mastodon bluesky social handle twitterhandle
    twitterid facebookid instagramhandle linkedinurl linkedinprofile socialhandle socialid`,
  'national-id': `ssn passport passportnumber taxid nationalid nin idcard idnumber socialsecurity
    socialsecuritynumber driverlicense driverslicense driverlicence driverslicence`,
  credential: `password passwd pwd secret token apikey accesstoken refreshtoken clientsecret
    privatekey authorization cookie sessiontoken`,
  'ip-address': `ip ipaddress ipaddr ipv4 ipv6 clientip remoteip remoteaddr remoteaddress
    xforwardedfor forwardedfor`,
};

const known = new Map(
  (Object.entries(WORDS) as [Classifier, string][]).flatMap(([classifier, words]) =>
    words.split(/\s+/).map((word) => [word, classifier] as const),
  ),
);

const PREFIX =
  /^(?:home|work|billing|shipping|postal|mailing|contact|customer|user|primary|second)/;

/** The classifier that a name gives away: `firstName`, `first_name` and `billing-email2` all do. */
export function classifyName(name: string): Classifier | undefined {
  const plain = name
    .slice(0, 64)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .replace(/\d{1,4}$/, '');
  return known.get(plain) ?? known.get(plain.replace(PREFIX, ''));
}
