import { documentOf } from '@troth/policy-language';
import type { Look } from '#core/looking';

export type Document = Record<string, unknown> & {
  version: string;
  promises: { says: string; config?: unknown }[];
  data: Record<string, { purposes: string[]; retain?: unknown; fields?: Record<string, unknown> }>;
  purposes: Record<string, unknown>;
  recipients?: Record<string, unknown>;
  rights?: Record<string, { within?: string }>;
};

export type Refused = {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** How many findings keep it out of force. */
  readonly openErrors: number;
};

/** A stored column as something else: whatever else is in such a document, it is never applied. */
function makeImpossible(look: Look, document: Document): boolean {
  for (const id of look.canaries.eventTypes) {
    const compiled = Object.values(look.policy.compiled.data[id]?.fields ?? {});
    const field = compiled.find(({ type, seal }) => type === 'string' && seal === null);
    const fields = document.data[id]?.fields;
    if (!field || !fields) continue;
    fields[field.name] = 'integer';
    return true;
  }
  return false;
}

/** No other document has this version; a sentence that names its own would be an open error. */
function numberAnew(document: Document): void {
  const { version } = document;
  document.version = '9999.0';
  for (const row of document.promises) {
    const config = JSON.stringify(row.config ?? '');
    if (config.includes('"version"')) row.says = row.says.replaceAll(version, document.version);
  }
}

/**
 * The document in force with a change, as a draft that cannot come into force even where the
 * control that is looked at fails: one of its fields would read stored bytes as another type.
 *
 * @returns `undefined` where no field could be changed so.
 */
export function impossibleDraft(
  look: Look,
  change: (document: Document, dataType: string) => void,
): string | undefined {
  const document = structuredClone(documentOf(look.policy)) as unknown as Document;
  if (!makeImpossible(look, document)) return undefined;
  numberAnew(document);
  change(document, look.canaries.eventTypes[0] ?? '');
  return JSON.stringify(document);
}

/** Asks for a draft to be applied. It is refused, whatever holds; what matters is why. */
export async function applied(look: Look, body: object): Promise<Refused> {
  const { status, json } = await look.operator('/v1/operator/policies/apply', { body });
  const { code = '', detail = '', openErrors = 0 } = (json ?? {}) as Partial<Refused>;
  return { status, code, detail, openErrors };
}

/** What refuses such a draft last of all. */
export const LAST = 'field-type-changed';
