/**
 * The documents of the policies’ folder, put in force at a start. One that cannot be leaves its
 * service as it was, and the start goes on: a slip in one file takes no running service down.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readPolicy } from '@troth/policy-language';
import type { Clock } from '#base/clock';
import { TenantId, Word } from '#base/ids';
import { Problem } from '#base/problem';
import {
  applyPolicy,
  judgePolicy,
  listRevisions,
  openErrors,
  type PolicyDraft,
  policyProblem,
  type Revision,
  readDraft,
  readInForce,
} from '#core/policy';
import type { Database } from '#platform/database';
import type { Events } from '#platform/events';
import type { Log } from '#platform/log';
import { mayWait, recordApplied, STARTER } from './tenants.ts';

type Given = {
  readonly db: Database;
  readonly events: Events;
  readonly clock: Clock;
  readonly log: Log;
  progress(text: string): void;
  /** For what a person has to see. */
  complain(text: string): void;
};

/** A document that did not come into force. */
export type LeftOut = {
  /** Whose it is, as far as it can be told. */
  readonly service: string;
  /** What stays in force instead; undefined where nothing of this service was. */
  readonly revision: number | undefined;
  /** Nothing is wrong with it; its time has not come. */
  readonly waits: boolean;
  /** Which file, where and why, and what stays. */
  readonly says: string;
  /** What to type about it. */
  readonly type: string;
};

/** What keeps a document of the folder out of force. */
type Fault = { readonly problem: Problem; readonly says: string; readonly line?: number };
export type Read = { readonly file: string; readonly service: string } & (
  | { readonly draft: PolicyDraft; readonly fault?: undefined }
  | { readonly fault: Fault }
);

const SERVICE_LINE = /^service:[ \t]*["']?([a-z][a-z0-9-]{1,30})["']?[ \t]*(?:#.*)?$/m;

/** Refusals for what a document is, or for its time; every other one ends the start. */
const OF_THE_DOCUMENT: ReadonlySet<string> = new Set([
  'policy-has-errors',
  'policy-notice-not-run',
  'policy-version-reused',
  'field-type-changed',
  'purposes-exhausted',
]);

const onOneLine = (text: string) => text.replaceAll(/[\s\p{Cc}]+/gu, ' ');

/** The text of a file, or why there is none. */
function textOf(path: string): string | Fault {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no reason given';
    const says = `it needs ${path}, which cannot be read (${code})`;
    return { problem: policyProblem('policy-has-errors', says), says };
  }
}

/** One document, with the prose that it names, which lies beside it. */
function readFile(folder: string, file: string, now: Date): Read {
  const text = textOf(join(folder, file));
  const named = basename(file, '.yaml');
  if (typeof text !== 'string') return { file, service: named, fault: text };
  const service = SERVICE_LINE.exec(text)?.[1] ?? named;
  const beside = readPolicy(text, { file }).policy?.prose;
  const prose = beside === undefined ? undefined : textOf(join(folder, basename(beside)));
  if (typeof prose === 'object') return { file, service, fault: prose };
  const reason = 'applied at start';
  const record = recordApplied(STARTER, now);
  const bare: PolicyDraft = { text, file, actor: STARTER, reason, now, record, sameVersion: true };
  const draft = prose === undefined ? bare : { ...bare, prose };
  try {
    const judged = judgePolicy(draft);
    return { file, service: judged.policy.service, draft: { ...draft, judged } };
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown;
    return { file, service, fault: faultOf(draft, thrown) };
  }
}

/** Its first error, as the linter says it. */
function faultOf(draft: PolicyDraft, problem: Problem): Fault {
  const [first] = openErrors(readDraft(draft).findings);
  if (!first) return { problem, says: problem.detail };
  const { line, message, expected } = first;
  const hint = expected ? ` (expected: ${expected})` : '';
  return { problem, line, says: onOneLine(message + hint) };
}

/** What an operator put in force stays in force: the folder spoke until then. */
async function appliedByOperator(db: Database, service: string): Promise<Revision | undefined> {
  const revisions = await listRevisions(db, TenantId(service));
  return revisions.find(({ inForce, actorKind }) => inForce && actorKind === 'operator');
}

type Standing = ReadonlyMap<string, number>;

/** Says it to whoever started the server and in the log, and keeps it for the doctor. */
function leaveOut(folder: string, read: Read, fault: Fault, standing: Standing, given: Given) {
  const { file, service } = read;
  const { problem, line } = fault;
  const revision = standing.get(service);
  const path = join(folder, file);
  const waits = problem.code === 'policy-notice-not-run';
  const type = waits
    ? `npm run troth -- apply ${path} --notice-given DAY --reason TEXT`
    : `npm run troth -- lint ${path}`;
  const stays =
    revision === undefined
      ? `${service} has no revision in force, so nothing of it runs`
      : `revision ${revision} of ${service} stays in force`;
  const where = line === undefined ? path : `${path}, line ${line}`;
  const verb = waits ? 'waits' : 'was not applied';
  const says = `${where}, ${verb}: ${fault.says.replace(/\.$/, '')}; ${stays}`;
  given.complain(`${says}. Type: ${type}`);
  given.log('policy.left-out', {
    code: Word(problem.code),
    ...(revision !== undefined && { tenant: TenantId(service), revision }),
    ...(line !== undefined && { line }),
  });
  return { service, revision, waits, says, type };
}

/** @returns what keeps it out of force, if anything does. */
async function apply(draft: PolicyDraft, given: Given): Promise<Fault | undefined> {
  const { db, events, log, progress } = given;
  try {
    const applied = await applyPolicy(db, events, draft, log);
    if (applied.changed) progress(`  ${applied.tenant}: revision ${applied.revision} in force`);
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown;
    if (OF_THE_DOCUMENT.has(thrown.code)) return { problem: thrown, says: thrown.detail };
    if (!mayWait(thrown)) throw thrown;
    progress(`  ${draft.file} waits. ${thrown.detail} See: troth apply`);
  }
  return undefined;
}

/** Reads and judges every document of a folder. Nothing is applied, and no engine is needed. */
export function readFolder(folder: string, now: Date): Read[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return files.sort().map((file) => readFile(folder, file, now));
}

/**
 * Applies every document of a folder. What is in force already changes nothing. A document may keep
 * its version while it is being written; a material change waits for its notice even here.
 *
 * A document that cannot be put in force leaves what was, for its service and for every other. Only
 * where nothing at all is in force yet, a first start, it ends the start: nobody is served, so
 * whoever set up a folder hears of all of it at once.
 *
 * @returns what was left out, each of them said to whoever started the server.
 * @throws Problem policy-has-errors on a first start: no document of the folder was applied.
 */
export async function applyFolder(
  folder: string,
  reads: readonly Read[],
  given: Given,
): Promise<LeftOut[]> {
  const inForce = await readInForce(given.db.admin, null);
  const standing = new Map(inForce.map(({ tenant, revision }) => [tenant, revision]));
  const first = reads.find(({ fault }) => fault)?.fault;
  if (first && standing.size === 0) throw first.problem;
  const leftOut: LeftOut[] = [];
  for (const read of reads) {
    const { file, service } = read;
    const theirs = standing.has(service) && (await appliedByOperator(given.db, service));
    if (theirs) {
      given.progress(
        `  ${service}: revision ${theirs.revision}, which the operator applied, stays in force; ` +
          `${file} is not read. Back to it: troth apply ${join(folder, file)} --reason TEXT`,
      );
      continue;
    }
    const fault = read.fault ?? (await apply(read.draft, given));
    if (fault) leftOut.push(leaveOut(folder, read, fault, standing, given));
  }
  return leftOut;
}
