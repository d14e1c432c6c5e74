/** The shapes in which the routes answer, made from what the core keeps. */
import type { Finding } from '@troth/policy-language';
import {
  droppedOf,
  type PipelineView,
  type PromiseAnswers,
  type ServiceInForce,
} from '#oversight/evidence';

/** The name people know a service by: the controller's, where that is the service's own. */
export function nameOf({ tenant, policy }: ServiceInForce): string {
  const { name } = policy.controller;
  const same = name.toLowerCase().startsWith(tenant);
  return same ? name : tenant.charAt(0).toUpperCase() + tenant.slice(1);
}

/** A note asks for no decision, so it is not counted as open. */
function countFindings(findings: readonly Finding[]) {
  const open = findings.filter(({ state }) => state === 'open');
  const notes = open.filter(({ severity }) => severity === 'note').length;
  return { open: open.length - notes, resolved: findings.length - open.length, notes };
}

export function summaryOf(
  service: ServiceInForce,
  counts: PromiseAnswers['counts'],
  pipeline: PipelineView | null,
) {
  const { tenant, policy, revision, hash, findings } = service;
  const errors = findings.filter((one) => one.severity === 'error' && one.state === 'open').length;
  const summary = {
    id: tenant,
    service: nameOf(service),
    title: policy.title,
    version: policy.version,
    effective: policy.effective,
    revision,
    hash,
    counts,
    findings: { ...countFindings(findings), errors },
    dataTypes: Object.keys(policy.data).length,
    purposes: Object.keys(policy.purposes).length,
  };
  if (!pipeline) return summary;
  const flow = {
    received: pipeline.received,
    accepted: pipeline.accepted,
    dropped: droppedOf(pipeline),
    perSecond: pipeline.perSecond.map(({ accepted }) => accepted),
  };
  return { ...summary, flow };
}

const RANK = { error: 0, warning: 1, note: 2 } as const;

/** What wants a decision first, then what has one, then notes; by weight and by place. */
const group = ({ state, severity }: Finding) =>
  state === 'resolved' ? 1 : severity === 'note' ? 2 : 0;

export function findingsOf({ findings, policy }: ServiceInForce) {
  const decided = new Map((policy.resolves ?? []).map((one) => [one.decision, one.on ?? null]));
  const ordered = findings.toSorted(
    (a, b) => group(a) - group(b) || RANK[a.severity] - RANK[b.severity] || a.line - b.line,
  );
  return {
    counts: countFindings(findings),
    findings: ordered.map((finding) => ({
      code: finding.code,
      severity: finding.severity,
      message: finding.message,
      expected: finding.expected ?? null,
      example: finding.example ?? null,
      file: finding.file,
      line: finding.line,
      column: finding.column,
      quote: finding.quote ?? null,
      promises: finding.promises ?? [],
      state: finding.state,
      resolution: finding.resolution
        ? { ...finding.resolution, on: decided.get(finding.resolution.decision) ?? null }
        : null,
    })),
  };
}
