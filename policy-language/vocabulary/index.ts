/**
 * The closed vocabularies. Ids stay ours and the mappings are data, so that a new edition of a
 * vocabulary changes a table and no enforcement.
 */
export { CATEGORY_KEYS, type CategoryKey, categories, isPersonal } from './categories.ts';
export { type BasisKey, bases, LEGAL_BASES, type RightKey, rights } from './law.ts';
export { fallsUnder, USE_KEYS, type UseKey, uses } from './uses.ts';
