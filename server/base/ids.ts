/**
 * Branded ids: strings that were checked once, at the edge, and are trusted inside.
 *
 * A brand is what lets a value into a log line (`Loggable`), so nothing that a person types may
 * carry one: each parser accepts a closed alphabet of identifiers only.
 */
export type Brand<Name extends string> = string & { readonly brand: Name };

export type TenantId = Brand<'TenantId'>;
/** Opaque, random, 32 hexadecimal digits; the map from person to id lives only in the keeper. */
export type SubjectId = Brand<'SubjectId'>;
export type PromiseId = Brand<'PromiseId'>;
export type DataTypeId = Brand<'DataTypeId'>;
export type PurposeId = Brand<'PurposeId'>;
/** The public half of a write key: names the key in logs and audit entries. */
export type KeyId = Brand<'KeyId'>;
export type RequestId = Brand<'RequestId'>;
/** A word of the product's own closed vocabularies: a job name, a drop reason, a problem code. */
export type Word = Brand<'Word'>;
/** A day of the calendar, UTC: YYYY-MM-DD. Days written so compare as text. */
export type Day = Brand<'Day'>;

/**
 * An id that a client made, as it is meant: text that looks the same is the same (Unicode NFC), and
 * the white space around it is a slip. Upper and lower case are two ids, for an id is opaque.
 *
 * Every door that takes one reads it through here: a person who was sent with a slip is found, and
 * erased, without it.
 */
export const meantId = (text: string): string => text.normalize('NFC').trim();

/** Two texts with halves of characters would become one person's id. */
export const isWellFormed = (text: string): boolean => text.isWellFormed();

function parser<Id extends string>(what: string, pattern: RegExp) {
  return (text: string): Id => {
    if (!pattern.test(text)) throw new TypeError(`not a ${what}`);
    return text as Id;
  };
}

export const TenantId = parser<TenantId>('tenant id', /^[a-z][a-z0-9-]{1,30}$/);
export const SubjectId = parser<SubjectId>('subject id', /^[0-9a-f]{32}$/);
export const PromiseId = parser<PromiseId>('promise id', /^[A-Z]{2,4}-[0-9]{2,4}$/);
export const DataTypeId = parser<DataTypeId>('data type id', /^[a-z][a-z0-9-]{1,40}$/);
export const PurposeId = parser<PurposeId>('purpose id', /^[a-z][a-z0-9-]{1,40}$/);
export const KeyId = parser<KeyId>('key id', /^[A-Za-z0-9]{4,24}$/);
export const RequestId = parser<RequestId>('request id', /^[0-9a-f-]{36}$/);
export const Day = parser<Day>('day', /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/);
export const Word = parser<Word>('word', /^[a-z][a-z0-9.:_-]{0,79}$/);
