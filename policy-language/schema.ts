/** The JSON Schema of a policy document, for editors: made from the grammar, never by hand. */
import { z } from 'zod';
import { PolicyDocument } from './document.ts';

export const SCHEMA_ID = 'https://troth.dev/schema/policy-1.json';

/** JSON Schema 2020-12 of what may be written in a policy file. */
export function policySchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(PolicyDocument, { target: 'draft-2020-12', io: 'input' });
  return { ...schema, $id: SCHEMA_ID, title: 'Troth policy' };
}
