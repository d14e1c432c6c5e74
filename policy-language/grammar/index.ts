/** The sections of a policy document; `document.ts` puts them together. */
export * from './data.ts';
export * from './operation.ts';
export * from './people.ts';
export * from './promises.ts';
export { Language, Lines, Name, type Teaching, TenantWord, Text, table, teachings, Word } from './words.ts';
export { ControlName, IsoDate, Region } from './words.ts';
