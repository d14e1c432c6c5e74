/**
 * The API as the console sees it: the types of every answer, and one function for each question.
 *
 * An answer is asked for once per navigation and kept for a few seconds, so that going back, or
 * hovering over a link before following it, costs no second request.
 */
export type State = 'kept' | 'broken' | 'gap' | 'attested';
export type Counts = Record<State, number>;
export type Severity = 'error' | 'warning' | 'note';

export type Flow = {
  received: number;
  accepted: number;
  dropped: number;
  /** Events accepted in each of the last seconds, oldest first. */
  perSecond: number[];
};

export type TenantSummary = {
  id: string;
  service: string;
  title: string;
  version: string;
  effective: string;
  revision: number;
  hash: string;
  counts: Counts;
  /** `open` wants a decision; a note does not. */
  findings: { open: number; resolved: number; notes: number; errors: number };
  dataTypes: number;
  purposes: number;
  /** Absent without an operator's session. */
  flow?: Flow;
};
export type Tenants = { operator: boolean; tenants: TenantSummary[] };

export type Promised = {
  id: string;
  state: State;
  control: string | null;
  says: string;
  provenAt: string | null;
  saw: string | null;
  reason: string | null;
  line: string | null;
  means: string | null;
  kind: 'control' | 'config' | 'attestation' | 'unbound';
  /** Which parameters of the policy bind the control. */
  with: Record<string, unknown> | null;
  config: string | null;
  attest: { owner: string; renew: string; what: string | null } | null;
  controlTitle: string | null;
  area: string | null;
  probe: Strength | null;
  /** What the proof cannot see. */
  blindTo: string | null;
  /** Since when the state has been the same. */
  since: string | null;
  tookMs: number | null;
};
export type Strength = 'stored-bytes' | 'protocol' | 'api' | 'configuration';
/** How often a promise was found in each state on one day, YYYY-MM-DD. */
export type DayFound = { promise: string; day: string; kept: number; broken: number; gap: number };
/** What a proof found just now. */
export type Found = {
  tenant: string;
  promises: string[];
  state: 'kept' | 'broken' | 'gap';
  saw: string;
  control: string;
  strength: Strength;
  blindTo: string;
  at: string;
  tookMs: number;
};
export type Promises = { counts: Counts; promises: Promised[] };
/** Entries of the audit log with their inclusion proofs; all hashes are base64. */
export type AuditLog = {
  checkpoint: string | null;
  size: number;
  entries: { index: number; leafHash: string; proof: string[]; leaf: string | null }[];
};
export type ErasureSummary = {
  id: string;
  state: 'recorded' | 'held' | 'hidden' | 'shredded' | 'deleted' | 'done' | 'undone';
  found: 'known' | 'unknown' | 'erased-before';
  trouble: string | null;
  requestedAt: string;
  destroyAt: string | null;
  finishedAt: string | null;
};
export type ErasureDetail = ErasureSummary & {
  /** What the search of the bytes found, place by place. */
  search: { place: string; foundBefore: number; found: number }[];
  timeline: {
    what: string;
    at: string;
    store?: string;
    place?: string;
    counted?: number;
    deleted?: number;
    remains?: number;
  }[];
};
export type PublicKeys = { keys: { x: string; kid: string }[] };
export type Prose = { file: string; lines: string[] };

export type Finding = {
  code: string;
  severity: Severity;
  message: string;
  expected: string | null;
  example: string | null;
  file: string;
  line: number;
  column: number;
  quote: { line: number; text: string } | null;
  promises: string[];
  state: 'open' | 'resolved';
  resolution: { decision: string; because: string; on: string | null } | null;
};
export type Findings = {
  counts: { open: number; resolved: number; notes: number };
  findings: Finding[];
};

export type DataType = {
  id: string;
  title: string;
  from: string;
  party: 'first' | 'other';
  categories: string[];
  purposes: { id: string; title: string; basis: string }[];
  retain: { text: string; limitMs: number | null };
  key: string;
  fields: { name: string; type: string; sealed: string | null }[];
  store: 'clickhouse' | 'postgresql' | null;
  /** Null: not counted, and `uncounted` says why. */
  rows: number | null;
  oldestAt: string | null;
  oldestAgeMs: number | null;
  uncounted: string | null;
};
export type DataMap = { operator: boolean; countedAt: string | null; types: DataType[] };

export type PipelineStep = {
  name: string;
  in: number;
  out: number;
  /** Mean time of the step for one event, in microseconds. */
  microseconds: number | null;
};
export type Pipeline = {
  at: string;
  since: string;
  received: number;
  accepted: number;
  /** Events that proofs sent: in none of the figures, but in the inbox. */
  verification: number;
  steps: PipelineStep[];
  drops: { reason: string; step: string | null; events: number; says: string }[];
  inbox: {
    rows: number;
    lagMs: number | null;
    /** Rows that the event store refuses, kept apart until its cause is mended. */
    stuck: { engineCode: number; rows: number; since: string }[];
  };
  /** The last two minutes, oldest first. */
  perSecond: { accepted: number; dropped: number }[];
};

type Held = { store: string; place: string; rows: number };
/** What taking a service out would cost, counted now. */
export type WouldLose = { lost: Held[]; stays: Held[]; openErasures: number; holds: number };
export type Removing = { tenant: string; requestedAt: string; finishedAt: string | null };

/** A refusal that the server explained. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  constructor(problem: { status: number; code?: string; title?: string; detail?: string }) {
    super(problem.title ?? 'The server refused');
    this.status = problem.status;
    this.code = problem.code ?? 'internal';
    this.title = problem.title ?? 'The server refused';
    this.detail = problem.detail ?? '';
  }
}

const KEPT_MS = 10_000;

export type Api = ReturnType<typeof createApi>;

/** Opens the API at this origin; `fetcher` is handed in by tests. */
export function createApi(fetcher: typeof fetch = (...asked) => fetch(...asked)) {
  const kept = new Map<string, { at: number; answer: Promise<unknown> }>();

  async function ask(path: string, accept: string): Promise<Response> {
    const answer = await fetcher(path, { headers: { accept }, credentials: 'same-origin' });
    if (answer.ok) return answer;
    const problem = await answer.json().catch(() => ({}));
    throw new ApiProblem({ ...problem, status: answer.status });
  }

  function keep<T>(path: string, question: () => Promise<T>): Promise<T> {
    const earlier = kept.get(path);
    if (earlier && Date.now() - earlier.at < KEPT_MS) return earlier.answer as Promise<T>;
    const answer = question();
    kept.set(path, { at: Date.now(), answer });
    answer.catch(() => kept.delete(path));
    return answer;
  }

  const json = <T>(path: string) =>
    keep<T>(path, async () => (await ask(path, 'application/json')).json() as Promise<T>);
  const text = (path: string) => keep(path, async () => (await ask(path, 'text/html')).text());
  const of = (tenant: string) => `/v1/t/${encodeURIComponent(tenant)}`;

  /** Has proofs run now; hands over each finding as the server makes it. */
  async function prove(
    wanted: { tenant?: string; promise?: string },
    found: (one: Found) => void,
  ): Promise<void> {
    const answer = await fetcher('/v1/operator/prove', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      credentials: 'same-origin',
      body: JSON.stringify(wanted),
    });
    if (!answer.ok || !answer.body) {
      const problem = await answer.json().catch(() => ({}));
      throw new ApiProblem({ ...problem, status: answer.status });
    }
    let rest = '';
    const text = answer.body.pipeThrough(new TextDecoderStream());
    for await (const chunk of linesFrom(text)) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) found(JSON.parse(line) as Found);
    }
    kept.clear();
  }

  /** The days of every promise of a service, by promise. */
  const days = (tenant: string) =>
    json<{ days: DayFound[] }>(`${of(tenant)}/promises/days`).then(({ days }) => {
      const byPromise = new Map<string, DayFound[]>();
      for (const one of days)
        byPromise.set(one.promise, [...(byPromise.get(one.promise) ?? []), one]);
      return byPromise as ReadonlyMap<string, readonly DayFound[]>;
    });

  async function erase(tenant: string, handle: { kind: string; value: string }) {
    const answer = await fetcher(`${of(tenant)}/erasures`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      credentials: 'same-origin',
      body: JSON.stringify({ handle, confirm: true }),
    });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new ApiProblem({ ...said, status: answer.status });
    return said as { id: string };
  }

  const removalOf = (tenant: string) =>
    `/v1/operator/services/${encodeURIComponent(tenant)}/removal`;

  /** Answers when nothing is left. */
  async function removeService(tenant: string, confirm: string) {
    const answer = await fetcher(removalOf(tenant), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      credentials: 'same-origin',
      body: JSON.stringify({ confirm }),
    });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new ApiProblem({ ...said, status: answer.status });
    kept.clear();
    return said as Removing;
  }

  /** The last removal of a service of this name, asked for anew each time. */
  async function removal(tenant: string): Promise<Removing | undefined> {
    const answer = await ask('/v1/operator/services/removed', 'application/json');
    const { removals } = (await answer.json()) as { removals: Removing[] };
    return removals
      .filter((one) => one.tenant === tenant)
      .toSorted((a, b) => b.requestedAt.localeCompare(a.requestedAt))[0];
  }

  return {
    prove,
    removeService,
    removal,
    wouldLose: (tenant: string) => json<WouldLose>(removalOf(tenant)),
    days,
    erase,
    erasures: (tenant: string) =>
      json<{ erasures: ErasureSummary[] }>(`${of(tenant)}/erasures`).then((one) => one.erasures),
    erasure: (tenant: string, id: string) => json<ErasureDetail>(`${of(tenant)}/erasures/${id}`),
    /** Lets every answer be asked for anew: something was changed. */
    forget: () => kept.clear(),
    tenants: () => json<Tenants>('/v1/tenants'),
    promises: (tenant: string) => json<Promises>(`${of(tenant)}/promises`),
    prose: (tenant: string) => json<Prose>(`${of(tenant)}/prose`),
    findings: (tenant: string) => json<Findings>(`${of(tenant)}/findings`),
    policyPage: (tenant: string) => text(`${of(tenant)}/policy.html`),
    dataMap: (tenant: string) => json<DataMap>(`${of(tenant)}/data-map`),
    pipeline: (tenant: string) => json<Pipeline>(`${of(tenant)}/pipeline`),
    audit: (tenant: string, after: number, limit: number) =>
      json<AuditLog>(`${of(tenant)}/audit/entries?after=${after}&limit=${limit}`),
    publicKeys: () => json<PublicKeys>('/.well-known/troth-keys.json'),
    pipelineStream: (tenant: string) => `${of(tenant)}/pipeline/stream`,
  };
}

/** Not every browser can loop over a stream. */
async function* linesFrom(stream: ReadableStream<string>): AsyncGenerator<string> {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
