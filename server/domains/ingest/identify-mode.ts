/**
 * How much a service may know about who somebody is: nothing (anonymous), that it is the same one
 * again (pseudonymous), or who (identified). A policy lists the modes it allows.
 */
import { type Classifier, cleanText } from './classifiers.ts';
import type { DropReason } from './drops.ts';
import { MODE, type Mode } from './model.ts';
import { classifyName } from './personal-names.ts';
import type { IngestPlan } from './plan.ts';
import type { JsonObject } from './wire.ts';

export type Asked = {
  readonly kind: string;
  readonly userId: string | undefined;
  /** The mode that the client says it is in; null says nothing. */
  readonly asked: unknown;
  readonly traits: JsonObject;
};

const PERSONAL: ReadonlySet<Classifier> = new Set([
  'email',
  'phone',
  'person-name',
  'card',
  'iban',
]);
/** Letters, digits and joints, without a run of digits as long as a telephone number. */
const PLAIN_ID = /^(?!.*\d{7})[A-Za-z0-9_-]{1,128}$/;
const PERSONAL_NAMES: ReadonlySet<Classifier> = new Set(['email', 'phone', 'person-name']);

/** Whether an id says who somebody is: an e-mail address, a number, a name with a space in it. */
export function isPersonalId(id: string): boolean {
  // Most ids are plain words and numbers, and this is asked for every event.
  if (PLAIN_ID.test(id)) return false;
  return /\s/.test(id) || cleanText(id, PERSONAL).found.length > 0;
}

const NAMES_PERSON = new Set(['identify', 'alias', 'group']);

/**
 * The mode of an event, or why it is refused.
 *
 * An event that asks for no mode gets the policy's default, and one that asks for a mode that does
 * not exist is refused: what was meant may have been the strictest. `identify` that the policy does not
 * allow is refused and leaves nothing behind; any other event that names a person falls back to the
 * strongest mode that the policy allows, and loses the id when that mode has no place for it.
 */
export function modeOf(
  plan: IngestPlan,
  event: Asked,
): Mode | { drop: DropReason; detail: string } {
  const { kind, userId } = event;
  const asked = event.asked ?? plan.modeUnasked;
  if (asked !== undefined && !isMode(asked)) return refuse('wrong-schema');
  const names = NAMES_PERSON.has(kind);
  if (asked === 'anonymous' || userId === undefined) {
    return names && (asked === 'anonymous' || !allowsPeople(plan))
      ? refuse('identify-refused')
      : MODE.anonymous;
  }
  const identified =
    asked === 'identified' ||
    isPersonalId(userId) ||
    (kind === 'identify' && hasPersonalTrait(plan, event.traits));
  if (asked === 'pseudonymous' && identified) {
    return names ? refuse('identify-personal-data') : MODE.anonymous;
  }
  if (identified && plan.modes.has('identified')) return MODE.identified;
  if (!identified && plan.modes.has('pseudonymous')) return MODE.pseudonymous;
  if (!names) return MODE.anonymous;
  return refuse(allowsPeople(plan) ? 'identify-personal-data' : 'identify-refused');
}

const allowsPeople = ({ modes }: IngestPlan) =>
  modes.has('pseudonymous') || modes.has('identified');

const isMode = (asked: unknown) => typeof asked === 'string' && Object.hasOwn(MODE, asked);

const DETAIL = {
  'wrong-schema': `context.mode is none of ${Object.keys(MODE).join(', ')}`,
  'identify-refused': 'in anonymous mode no identity of anybody is kept',
  'identify-personal-data': 'in pseudonymous mode an id or trait must not say who somebody is',
} as const;

const refuse = (drop: keyof typeof DETAIL) => ({ drop, detail: DETAIL[drop] });

/** A trait that only identified mode has a place for, by the policy or by what it is called. */
function hasPersonalTrait(plan: IngestPlan, traits: JsonObject): boolean {
  const { pseudonymous, identified } = plan.traits;
  for (const name of Object.keys(traits)) {
    if (pseudonymous?.has(name)) continue;
    if (identified?.has(name)) return true;
    const what = classifyName(name);
    if (pseudonymous !== undefined && what !== undefined && PERSONAL_NAMES.has(what)) return true;
  }
  return false;
}
