import type { Finding, Policy } from '@troth/policy-language';
import type { TenantId } from '#base/ids';

/** One service with the policy that is in force for it. */
export type ServiceInForce = {
  readonly tenant: TenantId;
  readonly revision: number;
  /** SHA-256 of the compiled document, hexadecimal. */
  readonly hash: string;
  readonly policy: Policy;
  /** The sentences as published, when they are on file. */
  readonly prose: string | undefined;
  readonly appliedAt: Date;
  /** What the linter said of this revision, resolved findings included. */
  readonly findings: readonly Finding[];
};

/** The policies in force, from memory: reading them costs no query. */
export type ServicesInForce = {
  list(): readonly ServiceInForce[];
  get(tenant: string): ServiceInForce | undefined;
};

export type PromiseState = 'kept' | 'broken' | 'gap' | 'attested';
export type PromiseCounts = Record<PromiseState, number>;

export type PromiseAnswer = {
  id: string;
  state: PromiseState;
  control: string | null;
  says: string;
  /** ISO 8601; null while no proof has run. */
  provenAt: string | null;
  saw: string | null;
  reason: string | null;
  line: string;
  means: string | null;
  kind: 'control' | 'config' | 'attestation' | 'unbound';
  with: Readonly<Record<string, unknown>> | null;
  config: string | null;
  attest: { owner: string; renew: string; what: string } | null;
  controlTitle: string | null;
  area: string | null;
  /** How near to the fact the last proof looked; before one has, how near its control asks for. */
  probe: string | null;
  /** What the proof cannot see. */
  blindTo: string | null;
  /** ISO 8601: since when the state has been the same. */
  since: string | null;
  tookMs: number | null;
};
/** The last finding about one promise, as it is on record. */
export type LastFound = {
  readonly promise: string;
  readonly revision: number;
  readonly state: 'kept' | 'broken' | 'gap';
  readonly saw: string;
  readonly control: string;
  readonly strength: string;
  readonly blindTo: string;
  readonly foundAt: Date;
  /** Since when the state has been the same. */
  readonly since: Date;
  readonly tookMs: number;
};

/** How often a promise was found kept, broken or a gap on one day (YYYY-MM-DD). */
export type DayFound = {
  readonly promise: string;
  readonly day: string;
  readonly kept: number;
  readonly broken: number;
  readonly gap: number;
};

export type PromiseAnswers = { counts: PromiseCounts; promises: PromiseAnswer[] };

export type Counted = { rows: number; oldestAt: Date | null; store: 'clickhouse' | 'postgresql' };

/** Counts what one engine holds of a service, by data type. A type it does not hold is absent. */
export type RowCounter = (service: ServiceInForce) => Promise<ReadonlyMap<string, Counted>>;

export type DataTypeView = {
  id: string;
  title: string;
  from: string;
  /** Who says it: the service and the people who use it, or somebody else's system. */
  party: 'first' | 'other';
  categories: readonly string[];
  purposes: { id: string; title: string; basis: string }[];
  retain: { text: string; limitMs: number | null };
  key: string;
  fields: { name: string; type: string; sealed: string | null }[];
  store: Counted['store'] | null;
  rows: number | null;
  oldestAt: string | null;
  oldestAgeMs: number | null;
  uncounted: string | null;
};
/** Work that comes round by itself, and the declared purpose that it is done for; null: none fits. */
export type JobView = {
  name: string;
  every: string | null;
  purpose: { id: string; title: string } | null;
};
export type DataMap = {
  operator: boolean;
  countedAt: string | null;
  types: DataTypeView[];
  jobs: JobView[];
};
