/** Personal content as people write it, invented anew each time, with what must not be left of it. */
import { randomInt } from 'node:crypto';

export type Content = {
  readonly text: string;
  /** None of these may be found in what is stored. */
  readonly secrets: readonly string[];
};

const letters = (count: number) =>
  Array.from({ length: count }, () => String.fromCharCode(97 + randomInt(26))).join('');
const digits = (count: number) => Array.from({ length: count }, () => randomInt(10)).join('');
/** A word as no language has it, so that finding it means something. */
const word = () => `Q${letters(9)}`;

/** The last digit that makes a card number valid. @see ISO/IEC 7812-1 */
function withLuhn(front: string): string {
  const sum = [...front].reverse().reduce((total, digit, at) => {
    const weighted = at % 2 === 0 ? Number(digit) * 2 : Number(digit);
    return total + (weighted > 9 ? weighted - 9 : weighted);
  }, 0);
  return `${front}${(10 - (sum % 10)) % 10}`;
}

/** A German account number with its check digits. @see ISO 13616-1 */
function iban(): string {
  const account = digits(18);
  const rest = BigInt(`${account}131400`) % 97n;
  return `DE${String(98n - rest).padStart(2, '0')}${account}`;
}

const inFours = (text: string) => (text.match(/.{1,4}/g) ?? []).join(' ');

function paragraph(): Content {
  const name = word();
  const text = `${'and then we sat down and talked about it at length '.repeat(6)}${name}`;
  return { text, secrets: [name] };
}

const MAKERS: Readonly<Record<string, () => Content[]>> = {
  email() {
    const [a, b] = [word(), word()];
    return [
      { text: `${a}@example.com`, secrets: [a] },
      { text: `write to ${b} (at) example.org`, secrets: [b] },
    ];
  },
  'person-name'() {
    const [a, b, c] = [word(), word(), word().toLowerCase()];
    return [
      { text: `Mr ${a} ${b}`, secrets: [a, b] },
      { text: `my name is ${b}`, secrets: [b] },
      { text: `ask @${c} please`, secrets: [c] },
    ];
  },
  phone() {
    // As long as they may be: eight digits alone stand in some list of numbers by chance.
    const [a, b] = [`+4930${digits(11)}`, `030-${digits(5)}-${digits(6)}`];
    return [
      { text: a, secrets: [a.slice(5)] },
      { text: `call ${b} today`, secrets: [b.slice(4)] },
    ];
  },
  address() {
    const [a, b, c] = [word(), word(), `52.${digits(9)}`];
    return [
      { text: `${randomInt(1, 99)} ${a} Street`, secrets: [a] },
      { text: `${b}straße ${randomInt(1, 99)}`, secrets: [b] },
      { text: `${c},13.${digits(9)}`, secrets: [c] },
    ];
  },
  card() {
    const [a, b] = [withLuhn(`4${digits(14)}`), withLuhn(`5${digits(14)}`)];
    return [
      { text: a, secrets: [a] },
      { text: `paid with ${inFours(b)}`, secrets: [b, inFours(b)] },
    ];
  },
  iban() {
    const [a, b] = [iban(), iban()];
    return [
      { text: a, secrets: [a.slice(4)] },
      { text: `account ${inFours(b)}`, secrets: [inFours(b), b] },
    ];
  },
  'national-id'() {
    const number = `${digits(3)}-${digits(2)}-${digits(4)}`;
    return [{ text: `ssn ${number}`, secrets: [number] }];
  },
  credential() {
    const [a, b] = [letters(24), letters(20)];
    return [
      { text: `sk_live_7${a}`, secrets: [a] },
      { text: `password=${b}`, secrets: [b] },
    ];
  },
  message: () => [paragraph()],
  'query-string'() {
    const [a, b] = [letters(16), letters(16)];
    return [
      { text: `https://shop.example/list?q=${a}`, secrets: [a] },
      { text: `/search?q=${b}`, secrets: [b] },
    ];
  },
};

/** Texts with content of a class; none for a class that there is no probe for. */
export const contentOf = (what: string): Content[] => MAKERS[what]?.() ?? [];

/** The same, two in each text: what cuts out the first has to cut out the second too. */
export function pairsOf(what: string): Content[] {
  const seconds = contentOf(what);
  return contentOf(what).map(({ text, secrets }, at) => ({
    text: `${text} and ${seconds[at]?.text ?? ''}`,
    secrets: [...secrets, ...(seconds[at]?.secrets ?? [])],
  }));
}

/** Categories of fields that are declared to hold the very thing, and so keep it. */
export const OWN_CATEGORY: Readonly<Record<string, readonly string[]>> = {
  email: ['user.contact.email'],
  phone: ['user.contact.phone_number'],
  address: ['user.contact.address', 'user.location'],
  'person-name': ['user.name', 'user.account.username'],
  message: ['user.content'],
  card: ['user.payment', 'user.financial.credit_card'],
  iban: ['user.financial.bank_account'],
  credential: ['user.authorization'],
};

/** Names that say what a field holds, for fields that nobody declared. */
export const TELLING_NAMES: Readonly<Record<string, readonly string[]>> = {
  email: ['email', 'mail'],
  phone: ['phone', 'mobile'],
  address: ['address', 'street', 'latitude'],
  'person-name': ['name', 'firstName', 'twitter'],
  'national-id': ['ssn', 'passport'],
  message: ['message', 'comment', 'document', 'body'],
  card: ['card', 'creditCard'],
  iban: ['iban', 'account'],
  credential: ['password', 'token'],
  'query-string': ['query', 'search'],
};
