/** The commands that need no server: they read documents and say what they found. */
import { globSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  blocksApply,
  diffPolicies,
  explainPromise,
  type Finding,
  lint,
  type Policy,
  policyHash,
  printFinding,
  readPolicy,
  renderPolicy,
  unfilledIn,
} from '@troth/policy-language';
import { cliProblem } from './errors.ts';
import { type Command, first, type Invocation, paint, readText, Usage } from './terminal.ts';

export type Read = { policy: Policy | undefined; findings: Finding[]; prose: string | undefined };

/** Reads a document, and the prose beside it when the document names it, and lints both. */
export function readDocument(file: string): Read {
  const read = readPolicy(readText(file), { file });
  if (!read.policy) return { policy: undefined, findings: read.findings, prose: undefined };
  const named = read.policy.prose;
  const prose = named === undefined ? undefined : readText(join(dirname(file), basename(named)));
  return {
    policy: read.policy,
    findings: [...read.findings, ...lint(read.policy, prose)],
    prose,
  };
}

/** The policy of a document that must be readable. */
export function policyOf(file: string): Policy {
  const { policy, findings } = readPolicy(readText(file), { file });
  if (policy) return policy;
  throw new Usage(`${file} is not a policy:\n${findings.map(printFinding).join('\n')}`);
}

/** A finding for a terminal; a resolved one is quiet, because somebody decided. */
export function lineOf(invocation: Invocation, finding: Finding): string {
  const { state, severity } = finding;
  const loud = severity === 'error' ? 'red' : 'amber';
  return paint(invocation, state === 'resolved' ? 'quiet' : loud, printFinding(finding));
}

export const lintCommand: Command = {
  takes: 'FILE…',
  does: 'say what cannot all be true, is undefined or is false',
  async run(invocation) {
    const files = invocation.names;
    if (files.length === 0) throw new Usage('name at least one policy');
    const findings = files.flatMap((file) => readDocument(file).findings);
    const open = findings.filter((finding) => blocksApply([finding])).length;
    const resolved = findings.filter(({ state }) => state === 'resolved').length;
    const text = [
      ...findings.map((finding) => lineOf(invocation, finding)),
      `${findings.length} findings, ${resolved} resolved, ${open} open errors`,
    ].join('\n');
    return { json: { open, findings }, text, no: open > 0 };
  },
};

export const diffCommand: Command = {
  takes: 'OLD NEW',
  does: 'compare two revisions, for people or with --json',
  async run(invocation) {
    const [older, newer] = invocation.names;
    if (!older || !newer) throw new Usage('name two policies');
    const diff = diffPolicies(policyOf(older), policyOf(newer));
    const text = diff.lines.length > 0 ? diff.lines.join('\n') : 'The two say the same.';
    return { json: diff, text };
  },
};

export const renderCommand: Command = {
  takes: 'FILE [--format html|markdown] [--out FILE]',
  does: 'write the page that people read, with the hash of what is enforced',
  async run(invocation) {
    const file = first(invocation, 'name a policy');
    const { out } = invocation.options;
    const byName = /\.html?$/i.test(out ?? '') ? 'html' : 'markdown';
    const format = invocation.options.format ?? byName;
    if (format !== 'html' && format !== 'markdown') throw new Usage('--format is html or markdown');
    const policy = policyOf(file);
    const page = renderPolicy(policy, { format });
    const hash = policyHash(policy);
    if (!out) return { json: { hash, format, page }, text: page };
    const [place] = unfilledIn(policy);
    if (place) {
      const detail = `${place.match} (${place.path.join('.')}) would be published; without --out a draft is shown`;
      throw cliProblem('policy-unfilled', detail);
    }
    writeOut(out, page);
    const bytes = Buffer.byteLength(page);
    const text = `wrote ${out}: ${format}, ${bytes} bytes, of the policy ${hash.slice(0, 12)}`;
    return { json: { hash, format, out, bytes }, text };
  },
};

function writeOut(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw cliProblem('file-not-written', `${file}: ${code}`);
  }
}

export const explainCommand: Command = {
  takes: 'PROMISE [FILE]',
  does: 'say what one promise demands and what keeps it',
  async run(invocation) {
    const [id, named] = invocation.names;
    if (!id) throw new Usage('name a promise, for example CW-11');
    const files = named ? [named] : globSync(join(invocation.root, 'policies', '*.yaml')).sort();
    for (const file of files) {
      const policy = policyOf(file);
      const explained = explainPromise(policy, id);
      if (!explained) continue;
      return { json: explained, text: explained.lines.join('\n') };
    }
    const where = named ?? 'policies/*.yaml';
    throw cliProblem('promise-not-made', `no promise ${id} in ${where}`);
  },
};
