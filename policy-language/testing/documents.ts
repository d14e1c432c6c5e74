/** Small policies for tests: one that is sound, and ways to spoil it. */
import assert from 'node:assert/strict';
import { type Finding, lint, type Policy, readPolicy } from '@troth/policy-language';

export const SOUND = `troth: 1
service: sample
title: Sample
version: 1.0.0
effective: 2026-01-01
languages: [en]
silent-lines: "1"
controller: { name: Sample, contacts: { privacy: { email: privacy@sample.test } } }
purposes:
  security-monitoring: { use: essential.service.security, basis: legitimate-interests }
  research: { use: analytics.reporting, basis: consent, default: off }
data:
  commands:
    title: Commands
    from: events
    event-names: [command]
    categories: [user.telemetry]
    purposes: [security-monitoring]
    retain: P90D
    key: subject
    fields:
      tool: string(64)
      email: { type: string, max: 254, seal: subject, category: user.contact.email }
  findings:
    { title: Found, from: insights, categories: [system], purposes: [research], retain: P1Y,
      key: none }
rights: { erasure: { within: P30D } }
changes: { material-notice: P30D }
promises:
  - { id: SA-01, says: "90 days", line: 2, control: retention.limit, with: { data: commands } }
`;

export const SOUND_PROSE = 'A heading\nCommands are kept 90 days.\n';

/** Reads a document that must be sound in shape. */
export function policyOf(text: string): Policy {
  const { policy, findings } = readPolicy(text, { file: 'sample.yaml' });
  assert.ok(policy, JSON.stringify(findings, null, 2));
  return policy;
}

/** The sound document with one text replaced; the text must be there. */
export function spoilt(from: string, to: string, document = SOUND): string {
  assert.ok(document.includes(from), `the document has no ${from}`);
  return document.replace(from, to);
}

/** The codes that lint raises, notes left out. */
export function codesOf(text: string, prose?: string): string[] {
  return lint(policyOf(text), prose)
    .filter(({ severity }) => severity !== 'note')
    .map(({ code }) => code);
}

/** Every finding must be usable by a person: a place, a sentence, a code, and what would be right. */
export function assertTeaches(findings: readonly Finding[]): void {
  assert.ok(findings.length > 0);
  for (const { code, message, line, column, severity, expected, example } of findings) {
    assert.match(code, /^[a-z-]+\/[a-z0-9-]+$/);
    assert.ok(message.length > 5 && line >= 1 && column >= 1);
    assert.equal(severity, 'error');
    assert.ok(expected && example, `${code} teaches nothing`);
  }
}
