/**
 * A policy made ready for the hot path: tables instead of rules, built once per revision.
 */
import { parseDuration, STRIP_CLASSES } from '@troth/policy-language';
import type { DataTypeId, PurposeId, TenantId } from '#base/ids';
import type { Classifier } from './classifiers.ts';
import { NO_TYPE, type PipelineCounts, type TypeCounts } from './drops.ts';
import {
  type DeclaredField,
  kindOf,
  type Read,
  readerOf,
  usualColumnType,
  type Write,
  writerOf,
} from './fields.ts';
import { type Filler, fillersOf } from './fillers.ts';
import {
  bytesOf,
  type IngestPolicy,
  lengthOf,
  type PolicyDataType,
  type PolicyPurpose,
} from './policy-shape.ts';
import type { Kind } from './wire.ts';

export type FieldPlan = {
  readonly name: string;
  readonly kind: string;
  readonly read: Read;
  /** How the column is written; undefined for a field that goes into the sealed blob. */
  readonly write: Write | undefined;
  /** Classes of content that are cut from this field; undefined when it can hold none. */
  readonly strip: ReadonlySet<Classifier> | undefined;
  /** Any of these purposes lets the field in; undefined when no one has to be asked. */
  readonly gates: readonly PurposeId[] | undefined;
};

export type TypePlan = {
  readonly tenant: TenantId;
  readonly id: DataTypeId;
  readonly table: string;
  readonly key: 'subject' | 'period' | 'type' | 'none';
  readonly fields: readonly FieldPlan[];
  readonly clear: readonly { readonly index: number; readonly write: Write }[];
  readonly sealed: readonly number[];
  readonly gated: readonly number[];
  readonly stripped: readonly number[];
  readonly fillers: Readonly<Record<Filler['step'], readonly Filler[]>>;
  readonly gates: readonly PurposeId[] | undefined;
  readonly retainMilliseconds: number;
  /** Other lives, by region: shorter ones by its rules, and what a customer chose for it. */
  readonly retainIn: Readonly<Record<string, number>>;
  /** The shortest of them all: for a row whose region is not known. */
  readonly retainNowhere: number;
  readonly columns: readonly string[];
  readonly counts: TypeCounts;
  /** Names the columns in the inbox; filled in when the plan is registered. */
  layout: number;
};

/** Where an event goes, and whether the policy names it or takes any name there. */
export type Route = { readonly type: TypePlan; readonly isDeclared: boolean };

export type SignalName = 'gpc' | 'dnt' | 'do-not-sell';

export type IngestPlan = {
  readonly tenant: TenantId;
  readonly revision: number;
  readonly policy: IngestPolicy;
  readonly types: readonly TypePlan[];
  readonly unknown: TypeCounts;
  readonly strip: ReadonlySet<Classifier>;
  /** What must not be in a name that a client made up. */
  readonly nameStrip: ReadonlySet<Classifier>;
  readonly signals: readonly {
    readonly name: SignalName;
    readonly withdraws: ReadonlySet<string>;
  }[];
  /** Signals that are heard before a stored consent, as `precedence` orders them. */
  readonly beforeConsent: ReadonlySet<SignalName>;
  readonly age: IngestPolicy['age'];
  readonly modes: ReadonlySet<string>;
  /** The mode of an event that asks for none; undefined: the strongest that its ids allow. */
  readonly modeUnasked: string | undefined;
  readonly identifyConsent: PurposeId | undefined;
  readonly traits: Readonly<Record<'pseudonymous' | 'identified', ReadonlySet<string> | undefined>>;
  /** Purpose by every name that clients use for it. */
  readonly purposeNames: ReadonlyMap<string, PurposeId>;
  readonly enrich: Readonly<Record<Enrichment, boolean>>;
  readonly precision: string;
  readonly limits: {
    readonly eventsPerSecond: number;
    /** Of one key, of one address, of one person; undefined where the policy sets none. */
    readonly requestsPerMinute: number | undefined;
    readonly batch: number;
    readonly bodyBytes: number;
  };
  readonly skewMilliseconds: number;
  route(kind: Kind, name: string): Route | undefined;
  /** Names of tracked events that were looked at already. */
  readonly names: Map<string, TypePlan>;
};

export const ENRICHMENTS = ['geolocation', 'device', 'time-zone', 'session', 'referrer'] as const;
export type Enrichment = (typeof ENRICHMENTS)[number];

export type PlanOptions = {
  readonly tenant: TenantId;
  readonly revision: number;
  readonly counts: PipelineCounts;
  /** Column types as the engine reports them: table → column → type. */
  readonly columns?: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** How long rows of a type live, where that is not what the policy says by itself. */
  readonly limits?: (dataType: string) =>
    | {
        readonly totalMs: number | null;
        readonly regions: Readonly<Record<string, number>>;
        readonly unknownMs: number | null;
      }
    | undefined;
  /** Switches that the tenant set; only those that the policy lets be switched count. */
  readonly switches?: Readonly<Partial<Record<Enrichment, boolean>>>;
};

/** The columns that every event table begins with; the mover relies on the first three. */
export const FIXED_COLUMNS = [
  'batch',
  'message',
  'received_at',
  'event_at',
  'name',
  'subject',
  'session',
  'country',
  'device',
  'os',
  'browser',
  'mode',
] as const;

/**
 * Whatever the policy strips: streets and messages alone are left to it, since they look like
 * names.
 */
const NEVER_IN_NAMES: readonly Classifier[] = STRIP_CLASSES.filter(
  (name) => name !== 'address' && name !== 'message' && name !== 'query-string',
);

const LIMITS = { eventsPerSecond: 2_000, batch: 500, bodyBytes: 512 * 1024 };

/** Compiles a policy for the ingest path. Pure; call it once per revision. */
export function compileIngestPlan(policy: IngestPolicy, options: PlanOptions): IngestPlan {
  const { tenant, revision, counts } = options;
  const strip = new Set<Classifier>(policy.ingest?.strip);
  const declared = Object.entries(policy.data).filter(([, type]) => type.from === 'events');
  const types = declared.map(([id, type]) => compileType(policy, id, type, strip, options));
  const signals = (['gpc', 'do-not-sell', 'dnt'] as const).flatMap((name) => {
    const withdraws = policy.consent?.signals?.[name]?.withdraws;
    return withdraws ? [{ name, withdraws: new Set(withdraws) }] : [];
  });
  const precedence = policy.consent?.precedence ?? ['gpc', 'do-not-sell', 'dnt', 'consent'];
  const first = precedence.includes('consent')
    ? precedence.slice(0, precedence.indexOf('consent'))
    : precedence;
  const limits = policy.ingest?.limits;
  return {
    tenant,
    revision,
    policy,
    types,
    unknown: counts.of(tenant, NO_TYPE),
    strip,
    nameStrip: new Set([...NEVER_IN_NAMES, ...strip]),
    signals,
    beforeConsent: new Set(first.filter((name): name is SignalName => name !== 'consent')),
    age: policy.age,
    modeUnasked: policy.identify?.default,
    modes: new Set(policy.identify?.modes ?? ['anonymous', 'pseudonymous', 'identified']),
    identifyConsent: policy.identify?.consent as PurposeId | undefined,
    traits: {
      pseudonymous: namesOf(policy.identify?.traits?.pseudonymous),
      identified: namesOf(policy.identify?.traits?.identified),
    },
    purposeNames: compileNames(policy),
    names: new Map(),
    enrich: compileEnrichments(policy, options.switches ?? {}),
    precision: policy.ingest?.enrich?.geolocation?.precision ?? 'country',
    limits: {
      eventsPerSecond: limits?.['events-per-second'] ?? LIMITS.eventsPerSecond,
      requestsPerMinute: limits?.['requests-per-minute'],
      batch: limits?.batch ?? LIMITS.batch,
      bodyBytes: limits?.body === undefined ? LIMITS.bodyBytes : bytesOf(limits.body),
    },
    skewMilliseconds: parseDuration(policy.ingest?.skew ?? 'PT5M').milliseconds,
    route: compileRoutes(
      declared.map(([, type]) => type),
      types,
    ),
  };
}

const namesOf = (fields: Readonly<Record<string, unknown>> | undefined) =>
  fields && new Set(Object.keys(fields));

/** A purpose that nobody has to be asked about: not consent, and not open to opting out. */
const isFree = (purpose: PolicyPurpose | undefined) =>
  purpose !== undefined &&
  (purpose.required === true || (purpose.basis !== 'consent' && purpose.optional !== true));

function gatesOf(policy: IngestPolicy, purposes: readonly string[], asked?: string) {
  const named = asked === undefined ? purposes : [asked];
  if (named.length === 0 || named.some((name) => isFree(policy.purposes[name]))) return undefined;
  return named as readonly PurposeId[];
}

/**
 * Content that a field declares to be: an e-mail field may hold an e-mail address, and only that.
 */
const EXEMPT: readonly (readonly [string, Classifier])[] = [
  ['user.contact.email', 'email'],
  ['user.contact.phone_number', 'phone'],
  ['user.contact.address', 'address'],
  ['user.location', 'address'],
  ['user.name', 'person-name'],
  ['user.account.username', 'person-name'],
  ['user.content', 'message'],
  ['user.payment', 'card'],
  ['user.financial.credit_card', 'card'],
  ['user.financial.bank_account', 'iban'],
  ['user.authorization', 'credential'],
];

function stripOf(field: DeclaredField, kind: string, strip: ReadonlySet<Classifier>) {
  if (strip.size === 0 || !['string', 'json', 'url-path'].includes(kind)) return undefined;
  const { category } = field;
  if (category === undefined) return strip;
  const own = EXEMPT.filter(([name]) => category === name || category.startsWith(`${name}.`));
  if (own.length === 0) return strip;
  const rest = new Set(strip);
  for (const [, classifier] of own) rest.delete(classifier);
  return rest;
}

function compileType(
  policy: IngestPolicy,
  id: string,
  type: PolicyDataType,
  strip: ReadonlySet<Classifier>,
  { tenant, counts, columns, limits: limitsOf }: PlanOptions,
): TypePlan {
  const compiled = policy.compiled.data[id];
  const table = compiled?.table ?? id.replaceAll('-', '_');
  const known = columns?.get(table);
  const fields = Object.entries(type.fields ?? {}).map(([name, short]): FieldPlan => {
    const field: DeclaredField = typeof short === 'string' ? { type: short } : short;
    const { kind } = kindOf(field);
    const column = known?.get(`f_${name}`) ?? usualColumnType(field);
    return {
      name,
      kind,
      read: readerOf(field, name),
      write: field.seal === undefined ? writerOf(column) : undefined,
      strip: stripOf(field, kind, strip),
      gates: field.purposes && gatesOf(policy, field.purposes),
    };
  });
  const limits = limitsOf?.(id);
  const retainMilliseconds = limits
    ? (limits.totalMs ?? Number.POSITIVE_INFINITY)
    : lengthOf(compiled?.retain);
  const retainIn =
    limits?.regions ??
    Object.fromEntries(
      Object.entries(compiled?.retainIn ?? {}).map(([region, limit]) => [region, lengthOf(limit)]),
    );
  const where = (has: (field: FieldPlan) => boolean) =>
    fields.flatMap((field, index) => (has(field) ? [index] : []));
  const clear = fields.flatMap(({ write }, index) => (write ? [{ index, write }] : []));
  return {
    tenant,
    id: id as DataTypeId,
    table,
    key: type.key,
    fields,
    clear,
    sealed: where((field) => field.write === undefined),
    gated: where((field) => field.gates !== undefined),
    stripped: where((field) => field.strip !== undefined),
    fillers: fillersOf(fields),
    gates: gatesOf(policy, type.purposes, type['consent-purpose']),
    retainMilliseconds,
    retainIn,
    retainNowhere: limits
      ? (limits.unknownMs ?? Number.POSITIVE_INFINITY)
      : Math.min(retainMilliseconds, ...Object.values(retainIn)),
    columns: [
      ...FIXED_COLUMNS,
      ...clear.map(({ index }) => `f_${fields[index]?.name}`),
      'sealed',
      'expires',
    ],
    counts: counts.of(tenant, id),
    layout: 0,
  };
}

function compileNames(policy: IngestPolicy): Map<string, PurposeId> {
  return new Map(Object.entries(policy.compiled.purposeNames) as [string, PurposeId][]);
}

function compileEnrichments(
  policy: IngestPolicy,
  switches: Readonly<Partial<Record<Enrichment, boolean>>>,
): Record<Enrichment, boolean> {
  const on = (name: Enrichment) => {
    const declared = policy.ingest?.enrich?.[name];
    if (declared === undefined) return false;
    return (declared['can-disable'] ? switches[name] : undefined) ?? declared.default === 'on';
  };
  return Object.fromEntries(ENRICHMENTS.map((name) => [name, on(name)])) as Record<
    Enrichment,
    boolean
  >;
}

function compileRoutes(declared: readonly PolicyDataType[], types: readonly TypePlan[]) {
  const routes = new Map<string, Route>();
  let rest: Route | undefined;
  declared.forEach(({ 'event-names': names = [] }, index) => {
    const type = types[index];
    if (type === undefined) return;
    const named = { type, isDeclared: true };
    for (const name of names) {
      if (name === '*') rest ??= { type, isDeclared: false };
      else if (name.startsWith('type:')) routes.set(name.slice(5), named);
      else routes.set(`track:${name}`, named);
    }
  });
  return (kind: Kind, name: string) =>
    kind === 'track' ? (routes.get(`track:${name}`) ?? rest) : routes.get(kind);
}
