/** The sections of a policy document; `document.ts` puts them together. */
export * from './data.ts';
export * from './operation.ts';
export * from './people.ts';
export * from './promises.ts';
export {
  ControlName,
  IsoDate,
  Language,
  Lines,
  Name,
  Region,
  type Teaching,
  TenantWord,
  Text,
  table,
  teachings,
  Version,
  Word,
} from './words.ts';
