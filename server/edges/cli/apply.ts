/** The commands that ask a running server what a document would change, and change it. */
import { blocksApply, type PolicyPlan, planChange } from '@troth/policy-language';
import { policyProblem } from '#core/policy';
import { policyOf, readDocument } from './documents.ts';
import { askServer, isServerKnown } from './running-server.ts';
import {
  type Command,
  first,
  type Invocation,
  Refused,
  readText,
  table,
  Usage,
} from './terminal.ts';

export const planCommand: Command = {
  takes: 'FILE [--against FILE]',
  does: 'show what applying a document would change, rows included',
  async run(invocation) {
    const file = first(invocation, 'name a policy');
    const plan = await planOf(invocation, file);
    return { json: plan, text: planInWords(plan) };
  },
};

const SIGNS = { add: '+', change: '~', remove: '-' } as const;

function planInWords({ from, to, material, reasons, earliest, rowsDeleted, steps }: PolicyPlan) {
  if (steps.length === 0) return 'Nothing changes.';
  const rows = steps.map(({ action, section, name, text }) => [SIGNS[action], section, name, text]);
  const because = reasons.map((reason) => `  because ${reason}`);
  return [
    `${from ? `${from.version} → ` : 'first: '}${to.version} (${to.hash.slice(0, 12)})`,
    table(rows),
    `${steps.length} steps; ${rowsDeleted} rows would be deleted at once`,
    material ? `Material: it may take effect on ${earliest} at the earliest.` : 'Not material.',
    ...(material ? because : []),
  ].join('\n');
}

async function planOf(invocation: Invocation, file: string): Promise<PolicyPlan> {
  const next = policyOf(file);
  const { against } = invocation.options;
  if (against) return planChange(policyOf(against), next);
  // Without a server there is nothing in force: the plan is that of a first apply.
  if (!isServerKnown(invocation.dataDir)) return planChange(undefined, next);
  const asked = { text: readText(file) };
  const plan = await askServer(invocation.dataDir, 'POST', '/v1/operator/policies/plan', asked);
  return plan as PolicyPlan;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export const applyCommand: Command = {
  takes: 'FILE --reason TEXT [--notice-given DATE] [--same-version]',
  does: 'put a document in force on the running server',
  async run(invocation) {
    const file = first(invocation, 'name a policy');
    const { reason, ...given } = invocation.options;
    const noticeGiven = given['notice-given'];
    if (noticeGiven !== undefined && !DAY.test(noticeGiven))
      throw new Usage('say the day as YYYY-MM-DD: --notice-given 2026-01-31');
    const { findings, prose } = readDocument(file);
    const open = findings.filter((finding) => blocksApply([finding]));
    if (open.length > 0) {
      const says = `${open.length} open errors. See: troth lint ${file}`;
      throw new Refused({ ...policyProblem('policy-has-errors', says).toJSON(), findings: open });
    }
    const answer = await askServer(invocation.dataDir, 'POST', '/v1/operator/policies/apply', {
      text: readText(file),
      prose,
      reason: reason ?? '',
      noticeGiven,
      sameVersion: given['same-version'],
    });
    const { revision, hash } = answer as { revision: number; hash: string };
    return { json: answer, text: `revision ${revision} is in force (${hash.slice(0, 12)})` };
  },
};
