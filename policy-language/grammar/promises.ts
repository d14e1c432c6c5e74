/** A promise: one sentence as published, and what makes it true. */
import { z } from 'zod';
import {
  ConfigPath,
  ControlName,
  Json,
  Lines,
  Name,
  Period,
  PromiseWord,
  Text,
  table,
  Word,
} from './words.ts';

export const Attestation = z.strictObject({
  owner: Word,
  renew: Period,
  what: Text,
});

export const PromiseRow = z.strictObject({
  id: PromiseWord,
  says: Text,
  line: Lines,
  means: Text.optional(),
  control: ControlName.optional(),
  with: table(Name, Json).optional(),
  config: z.union([ConfigPath, z.array(ConfigPath).min(1)]).optional(),
  attest: Attestation.optional(),
});
