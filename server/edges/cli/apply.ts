/** The commands that ask a running server what a document would change, and change it. */
import { blocksApply, type Finding, type PolicyPlan, planChange } from '@troth/policy-language';
import { policyProblem } from '#core/policy';
import { lineOf, policyOf, readDocument } from './documents.ts';
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
    const [plan, open] = [await planOf(invocation, file), openErrorsOf(file).open];
    const text = [
      planInWords(plan),
      ...open.map((finding) => lineOf(invocation, finding)),
      ...(open.length > 0 ? [`apply would refuse: ${openInWords(open, file)}`] : []),
    ].join('\n');
    return { json: { ...plan, open: open.length, findings: open }, text, no: open.length > 0 };
  },
};

/** Of a document whose prose was rewritten each promise differs. */
const TEXTS_SHOWN = 20;
const SIGNS = { add: '+', change: '~', remove: '-' } as const;

function planInWords(plan: PolicyPlan) {
  const { from, to, material, reasons, earliest, rowsDeleted, steps, texts } = plan;
  if (from?.hash === to.hash) return 'Nothing changes.';
  const rows = steps.map(({ action, section, name, text }) => [SIGNS[action], section, name, text]);
  const because = reasons.map((reason) => `  because ${reason}`);
  const same = from?.version === to.version;
  return [
    `${from ? `${from.version} → ` : 'first: '}${to.version} (${to.hash.slice(0, 12)})`,
    ...(rows.length > 0 ? [table(rows)] : []),
    ...texts.slice(0, TEXTS_SHOWN),
    ...(texts.length > TEXTS_SHOWN ? [`… and ${texts.length - TEXTS_SHOWN} more: troth diff`] : []),
    `${count(steps, 'step')}, ${count(texts, 'other change')}; ${rowsDeleted} rows would be deleted at once`,
    material ? `Material: it may take effect on ${earliest} at the earliest.` : 'Not material.',
    ...(material ? because : []),
    ...(same
      ? [`The version stays ${to.version}: apply takes that with --same-version only.`]
      : []),
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

/** What keeps a document out of force, and the prose that it was compared with. */
function openErrorsOf(file: string) {
  const { findings, prose } = readDocument(file);
  return { open: findings.filter((finding) => blocksApply([finding])), prose };
}

const count = ({ length }: readonly unknown[], what: string) =>
  `${length} ${what}${length === 1 ? '' : 's'}`;

const openInWords = (open: readonly Finding[], file: string) =>
  `${count(open, 'open error')}. See: troth lint ${file}`;

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
    const { open, prose } = openErrorsOf(file);
    if (open.length > 0) {
      const says = openInWords(open, file);
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
