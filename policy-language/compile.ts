/** Derives what follows from a document and freezes the whole. Equal documents, equal policies. */
import { SHORT_FIELD } from '#grammar';
import { bases, type CategoryKey, uses } from '#vocabulary';
import { canonicalJson, sha256 } from './canonical.ts';
import type { PolicyDocument } from './document.ts';
import type {
  Compiled,
  CompiledData,
  CompiledField,
  CompiledPurpose,
  DeepReadonly,
  FieldType,
  Policy,
} from './policy.ts';
import { type Limit, limitOf, shortest, tiersOf } from './retention.ts';

type Document = DeepReadonly<PolicyDocument>;
type DataType = Document['data'][string];
type Field = NonNullable<DataType['fields']>[string];

const ENUM_LENGTH_MAX = 64;

/** Compiles a document whose shape was checked. Does not lint: a policy may still have errors. */
export function compile(document: PolicyDocument): Policy {
  const allowed = categoryLimits(document);
  const data: Record<string, CompiledData> = {};
  for (const [id, type] of Object.entries(document.data)) {
    data[id] = compileData(id, type, document, allowed);
  }
  const compiled: Compiled = {
    data,
    purposes: compilePurposes(document),
    purposeNames: purposeNames(document),
    roles: Object.fromEntries(
      Object.entries(document.roles ?? {}).map(([name, role]) => [
        name,
        'permissions' in role ? role.permissions : role,
      ]),
    ),
  };
  return deepFreeze({ ...document, compiled }) as Policy;
}

const hashes = new WeakMap<object, string>();

/** SHA-256 (64 hexadecimal digits) of the canonical form of the document as written. */
export function policyHash(policy: Policy): string {
  let hash = hashes.get(policy);
  if (hash === undefined) {
    hash = sha256(canonicalJson(documentOf(policy)));
    hashes.set(policy, hash);
  }
  return hash;
}

/** The document alone, without what was derived from it. */
export function documentOf(policy: Policy): DeepReadonly<PolicyDocument> {
  const { compiled: _, ...document } = policy;
  return document;
}

/** What is observed about a person, never given: its age counts wherever a copy of it stands. */
const OBSERVED = /^user\.(?:device|location)\./;

/**
 * A data type that holds one observed category and nothing else speaks for that category: if IP
 * addresses live 30 days, then an address inside an error log lives 30 days too. What people gave
 * (a phone number, say) lives as long as each record it was given for.
 */
export function categoryLimits(document: Document): Map<CategoryKey, Limit> {
  const limits = new Map<CategoryKey, Limit>();
  for (const { categories, retain } of Object.values(document.data)) {
    const [only, ...others] = categories;
    if (!only || others.length > 0 || retain === undefined || !OBSERVED.test(only)) continue;
    const { total } = tiersOf(retain);
    if (total.milliseconds === null) continue;
    limits.set(only, shortest([limits.get(only), total].filter((limit) => limit !== undefined)));
  }
  return limits;
}

type Allowed = Map<CategoryKey, Limit>;

function compileData(id: string, type: DataType, document: Document, allowed: Allowed) {
  const tiers = type.retain === undefined ? null : tiersOf(type.retain);
  const retain = tiers?.total ?? shortest([]);
  const retainIn: Record<string, Limit> = {};
  for (const [region, rule] of Object.entries(document.regions ?? {})) {
    const most = rule['retain-at-most'];
    if (most !== undefined && tiers) retainIn[region] = shortest([retain, limitOf(most)]);
  }
  const fields: Record<string, CompiledField> = {};
  for (const [name, field] of Object.entries(type.fields ?? {})) {
    fields[name] = compileField(name, field, { type, retain, allowed });
  }
  const table = id.replaceAll('-', '_');
  return { id, table, tiers, retain, retainIn, fields, purposes: type.purposes };
}

type Around = { type: DataType; retain: Limit; allowed: Allowed };

function compileField(name: string, field: Field, { type, retain, allowed }: Around) {
  const long = typeof field === 'string' ? { type: field } : field;
  const category = 'category' in long ? (long.category ?? null) : null;
  const binding = [
    retain,
    'retain' in long && long.retain !== undefined && limitOf(long.retain),
    category !== null && allowed.get(category),
  ].filter((limit) => typeof limit === 'object');
  const choices = 'enum' in long && long.enum ? long.enum : null;
  return {
    name,
    ...shapeOf(long.type, 'max' in long ? long.max : undefined, choices !== null),
    choices,
    seal: 'seal' in long ? (long.seal ?? null) : null,
    category,
    retain: shortest(binding),
    purposes: 'purposes' in long && long.purposes ? long.purposes : type.purposes,
  } satisfies CompiledField;
}

function shapeOf(
  written: string | undefined,
  max: number | undefined,
  isEnum: boolean,
): { type: FieldType; max: number | null } {
  if (isEnum) return { type: 'enum', max: ENUM_LENGTH_MAX };
  const match = SHORT_FIELD.exec(written ?? 'string');
  const [, text, length, other] = match ?? [];
  const type = (text ?? other ?? 'string') as FieldType;
  return { type, max: max ?? (length === undefined ? defaultMax(type) : Number(length)) };
}

function defaultMax(type: FieldType): number | null {
  if (type === 'string' || type === 'url-path') return 256;
  return type === 'json' ? 4096 : null;
}

function compilePurposes(document: Document): Record<string, CompiledPurpose> {
  const data = new Map<string, string[]>();
  for (const [id, type] of Object.entries(document.data)) {
    for (const purpose of type.purposes) data.set(purpose, [...(data.get(purpose) ?? []), id]);
  }
  return Object.fromEntries(
    Object.entries(document.purposes).map(([id, purpose]) => [
      id,
      {
        id,
        useIri: uses[purpose.use].iri,
        basisIri: bases[purpose.basis].iri,
        asksConsent: purpose.basis === 'consent',
        // Silence means no: a consent purpose is on only when the policy says so, and lint objects.
        defaultOn:
          purpose.default === undefined ? purpose.basis !== 'consent' : purpose.default === 'on',
        data: data.get(id) ?? [],
      },
    ]),
  );
}

function purposeNames(document: Document): Record<string, string> {
  const names: Record<string, string> = {};
  for (const [id, purpose] of Object.entries(document.purposes)) {
    names[id] = id;
    for (const alias of purpose.aliases ?? []) names[alias] ??= id;
  }
  return names;
}

function deepFreeze<T>(value: T): T {
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
