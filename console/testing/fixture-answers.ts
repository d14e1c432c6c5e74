/**
 * Made-up answers of the API for looking at the console without a server: the five real policies,
 * with figures that show every state a screen can be in. Nothing here is shown by the product.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type * as Api from '#console/api.ts';

type Fields = Record<string, unknown>;
export type Written = {
  service: string;
  title: string;
  version: string;
  effective: string;
  prose: string;
  controller: { name: string };
  purposes: Record<string, { title?: string; basis: string }>;
  data: Record<string, Fields & { title: string; from: string; purposes: string[]; key: string }>;
  resolves?: {
    finding: string;
    promises?: string[];
    decision: string;
    because: string;
    on?: string;
  }[];
  promises: (Fields & { id: string; says: string; line: string | number })[];
};

const POLICIES = join(import.meta.dirname, '..', '..', 'policies');
const DAY_MS = 86_400_000;

export function readPolicies(): { written: Written; prose: string[] }[] {
  const order = ['clanker', 'conducktr', 'workorders', 'magenta', 'loopkit'];
  return readdirSync(POLICIES)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => {
      const written = parse(readFileSync(join(POLICIES, file), 'utf8')) as Written;
      const prose = readFileSync(join(POLICIES, written.prose), 'utf8').split('\n');
      return { written, prose };
    })
    .sort((a, b) => order.indexOf(a.written.service) - order.indexOf(b.written.service));
}

/** A number in 0..1 that is always the same for the same text. */
const dice = (text: string) =>
  createHash('sha256').update(text).digest().readUInt32BE(0) / 0xffff_ffff;

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

function stateOf(id: string, attested: boolean): Api.State {
  const rolled = dice(id);
  if (attested) return rolled < 0.6 ? 'attested' : 'gap';
  return rolled < 0.012 ? 'broken' : rolled < 0.55 ? 'kept' : 'gap';
}

const SAW = {
  kept: 'oldest row: 29 d 3 h of 30 d',
  broken: 'oldest row: 31 d 4 h of 30 d; 212 rows are late',
} as const;

export function promisesOf({ service, promises }: Written, honest: boolean): Api.Promises {
  const counts: Api.Counts = { kept: 0, broken: 0, gap: 0, attested: 0 };
  const rows = promises.map((row): Api.Promised => {
    const attest = (row['attest'] ?? null) as Api.Promised['attest'];
    const control = (row['control'] ?? null) as string | null;
    const state = honest ? 'gap' : stateOf(service + row.id, attest !== null && control === null);
    counts[state] += 1;
    const saw = state === 'kept' || state === 'broken' ? SAW[state] : null;
    const built = dice(control ?? '') < 0.3;
    const reason = control
      ? built
        ? 'Enforced; no proof has looked at it yet'
        : 'No control of this name is built into this version'
      : attest
        ? 'No attestation on file'
        : 'No probe has compared this value with the rendered page';
    return {
      id: row.id,
      state,
      control,
      says: row.says,
      provenAt: saw ? minutesAgo(dice(row.id) * 300) : null,
      saw,
      reason: saw ? null : state === 'attested' ? 'On file until 18 Nov 2026' : reason,
      line: String(row.line),
      means: (row['means'] ?? null) as string | null,
      kind: control ? 'control' : attest ? 'attestation' : 'config',
      with: (row['with'] ?? null) as Fields | null,
      config: row['config'] ? [row['config']].flat().join(', ') : null,
      attest,
      controlTitle: control ? 'What the catalogue says that this control does.' : null,
      area: control?.split('.')[0] ?? null,
      probe: control ? 'stored-bytes' : null,
      blindTo: saw ? 'Rows that another company was given.' : null,
      since: saw ? minutesAgo(dice(row.id) * 30_000) : null,
      tookMs: saw ? Math.round(dice(row.id) * 4_000) : null,
    };
  });
  return { counts, promises: rows };
}

/** Findings of the last three weeks, with a bad day here and there. */
export function daysOf({ promises }: Written): { days: Api.DayFound[] } {
  const day = (back: number) => minutesAgo(back * 1_440).slice(0, 10);
  const days = promises.slice(0, 60).flatMap(({ id }) =>
    Array.from({ length: 21 }, (_, back): Api.DayFound => {
      const rolled = dice(`${id} ${back}`);
      const broken = rolled < 0.03 ? 1 : 0;
      return { promise: id, day: day(back), kept: 24 - broken, broken, gap: rolled > 0.95 ? 1 : 0 };
    }),
  );
  return { days };
}

/** For a policy whose decisions are not written down yet. */
const UNDECIDED = ['false-claim/fernet', 'ambiguous/limited-period', 'contradiction/retention'].map(
  (finding, at) => ({
    finding,
    promises: [`XX-0${at + 1}`, `XX-1${at}`],
    decision: 'AES-256-GCM envelopes in the vault, one data key for each connection',
    because: 'Fernet is AES-128 in CBC mode; the claim of 256 bits needs another construction.',
    on: '2026-03-02',
  }),
);

export function findingsOf({ service, resolves = UNDECIDED }: Written): Api.Findings {
  const findings = resolves.map((one, at): Api.Finding => {
    const severity = at % 4 === 0 ? 'error' : at % 4 === 3 ? 'note' : 'warning';
    return {
      code: one.finding,
      severity,
      message: 'The sentence says one thing here and another thing there; both cannot be true.',
      expected: null,
      example: null,
      file: `${service}.yaml`,
      line: 300 + at * 3,
      column: 5,
      quote: { line: 24, text: 'All credentials are encrypted at rest using Fernet (AES-256)' },
      promises: one.promises ?? [],
      state: 'resolved',
      resolution: { decision: one.decision, because: one.because, on: one.on ?? null },
    };
  });
  return { counts: { open: 0, resolved: findings.length, notes: 0 }, findings };
}

const limitOf = (retain: unknown): number | null => {
  const text = typeof retain === 'object' && retain ? (retain as Fields)['active'] : retain;
  const found = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?/.exec(String(text));
  const [years = 0, months = 0, days = 0] = (found ?? []).slice(1).map((part) => Number(part ?? 0));
  return years + months + days ? (years * 365 + months * 30 + days) * DAY_MS : null;
};

export function dataMapOf({ data, purposes, service }: Written, operator: boolean): Api.DataMap {
  const types = Object.entries(data).map(([id, type]): Api.DataType => {
    const limitMs = limitOf(type['retain']);
    const rolled = dice(service + id);
    const rows = type.from === 'events' && operator ? Math.round(rolled * 90_000) : null;
    const age = rows && limitMs ? limitMs * (rolled > 0.95 ? 1.2 : rolled) : null;
    return {
      id,
      title: type.title,
      from: type.from,
      party: type.from === 'webhooks' ? 'other' : 'first',
      categories: (type['categories'] ?? []) as string[],
      purposes: type.purposes.map((purpose) => ({
        id: purpose,
        title: purposes[purpose]?.title ?? purpose,
        basis: purposes[purpose]?.basis ?? 'none',
      })),
      retain: { text: JSON.stringify(type['retain'] ?? 'no limit').replaceAll('"', ''), limitMs },
      key: type.key,
      fields: Object.entries((type['fields'] ?? {}) as Fields).map(([name, field]) => ({
        name,
        type: typeof field === 'string' ? field : String((field as Fields)['type'] ?? 'enum'),
        sealed: ((field as Fields)['seal'] ?? null) as string | null,
      })),
      store: type.from === 'events' ? 'clickhouse' : null,
      rows,
      oldestAt: age ? new Date(Date.now() - age).toISOString() : null,
      oldestAgeMs: age,
      uncounted: rows === null ? 'nothing in this version produces it' : null,
    };
  });
  return { operator, countedAt: operator ? new Date().toISOString() : null, types };
}

const STEPS: [name: string, share: number, reason: string, says: string][] = [
  ['checkRate', 0, '', ''],
  ['checkSchema', 0.03, 'undeclared-event', 'The policy declares no type for this event.'],
  ['dedupe', 0.012, 'duplicate', 'The same message came a second time.'],
  ['locate', 0, '', ''],
  ['forgetAddress', 0, '', ''],
  ['checkAge', 0.001, 'under-age', 'The person is below the age of the policy.'],
  ['checkSignals', 0.05, 'signal', 'The browser said no: GPC, DNT or Do Not Sell.'],
  ['checkConsent', 0.09, 'no-consent', 'The purpose rests on consent, and none is on record.'],
  ['stripContent', 0, '', ''],
  ['detectDevice', 0, '', ''],
  ['linkSession', 0, '', ''],
  ['pseudonymise', 0, '', ''],
  ['seal', 0, '', ''],
  ['store', 0, '', ''],
];

export function pipelineOf(service: string, honest: boolean): Api.Pipeline {
  const ticks = Math.floor(Date.now() / 1_000);
  const received = honest ? 0 : 12_000 + Math.round(dice(service) * 400_000) + (ticks % 1_000) * 40;
  let left = received;
  const drops: Api.Pipeline['drops'] = [];
  const steps = STEPS.map(([name, share, reason, says]) => {
    const into = left;
    const lost = Math.round(into * share);
    left -= lost;
    if (reason) drops.push({ reason, step: name, events: lost, says });
    return { name, in: into, out: left, microseconds: 0.3 + dice(name) * 9 };
  });
  const perSecond = Array.from({ length: 120 }, (_, at) => {
    const wave = 20 + 14 * Math.sin((ticks + at) / 9) + 9 * dice(`${service}${ticks + at}`);
    const accepted = honest ? 0 : Math.max(0, Math.round(wave));
    return { accepted, dropped: Math.round(accepted * 0.15) };
  });
  return {
    at: new Date().toISOString(),
    since: minutesAgo(94),
    received,
    accepted: left,
    verification: 412,
    steps,
    drops,
    inbox: { rows: honest ? 0 : 3, lagMs: honest ? null : 640, stuck: [] },
    perSecond,
  };
}

export function tenantsOf(
  policies: ReturnType<typeof readPolicies>,
  { operator, honest }: { operator: boolean; honest: boolean },
): Api.Tenants {
  const tenants = policies.map(({ written }): Api.TenantSummary => {
    const { service, title, version, effective } = written;
    const pipeline = pipelineOf(service, honest);
    const names: Record<string, string> = { workorders: 'Workorders', loopkit: 'LoopKit' };
    const summary = {
      id: service,
      service: names[service] ?? written.controller.name,
      title,
      version,
      effective,
      revision: 1,
      hash: createHash('sha256').update(title).digest('hex'),
      counts: promisesOf(written, honest).counts,
      findings: { ...findingsOf(written).counts, errors: 0 },
      dataTypes: Object.keys(written.data).length,
      purposes: Object.keys(written.purposes).length,
    };
    if (!operator) return summary;
    const flow = {
      received: pipeline.received,
      accepted: pipeline.accepted,
      dropped: pipeline.received - pipeline.accepted,
      perSecond: pipeline.perSecond.map(({ accepted }) => accepted),
    };
    return { ...summary, flow };
  });
  return { operator, tenants };
}
