/**
 * The rules of consent: pure, and the same for the ingest gate and for what a person is shown.
 *
 * Whatever is not known counts as no, and nothing but a person's own yes can turn a no of theirs
 * into leave. So adding a refusal or a signal never permits more (a property test says so).
 */
import type { Policy } from '@troth/policy-language';
import type { PurposeId, SubjectId } from '#base/ids';
import {
  type Because,
  type Conflict,
  conflictName,
  type Decided,
  type Decision,
  SIGNAL_NAMES,
  type SignalName,
  type Signals,
  type SubjectState,
} from './model.ts';
import { isWithin } from './regions.ts';

export type PurposeRule = {
  readonly id: PurposeId;
  /** Nobody is asked, and nobody can withdraw: it stands on its own legal basis. */
  readonly essential: boolean;
  readonly asksConsent: boolean;
  readonly defaultOn: boolean;
  readonly parent: PurposeId | undefined;
  readonly withdrawnBy: ReadonlySet<SignalName>;
  readonly basis: string;
};

export type ConsentRules = {
  readonly purposes: ReadonlyMap<string, PurposeRule>;
  /** Who is heard, in order; the first that speaks wins. */
  readonly voices: readonly (SignalName | 'consent')[];
  /** Where everything that is not essential asks first, whatever its default is elsewhere. */
  readonly consentRegions: ReadonlySet<string>;
};

export type Facts = {
  readonly subject: SubjectId | undefined;
  /** `undefined` for nobody in particular; `unknown` when the decisions could not be looked at. */
  readonly state: SubjectState | 'unknown' | undefined;
  readonly signals: Signals;
  /** Country or union; '' where it was not found, `undefined` where regions play no part. */
  readonly region: string | undefined;
  readonly now: number;
};

export const NO_SIGNALS: Signals = Object.freeze({ gpc: false, dnt: false, doNotSell: false });

const compiled = new WeakMap<Policy, ConsentRules>();

/** What a policy says about consent, as tables. Computed once per policy. */
export function rulesOf(policy: Policy): ConsentRules {
  let rules = compiled.get(policy);
  if (!rules) {
    rules = compileRules(policy);
    compiled.set(policy, rules);
  }
  return rules;
}

function compileRules(policy: Policy): ConsentRules {
  const { signals = {}, precedence = [...SIGNAL_NAMES, 'consent' as const] } = policy.consent ?? {};
  const purposes = Object.entries(policy.purposes).map(([name, purpose]): [string, PurposeRule] => {
    const id = name as PurposeId;
    const { asksConsent = true, defaultOn = false } = policy.compiled.purposes[name] ?? {};
    const essential = !asksConsent && (purpose.required === true || purpose.optional !== true);
    const withdrawnBy = SIGNAL_NAMES.filter((signal) => signals[signal]?.withdraws.includes(name));
    const parent = purpose.parent as PurposeId | undefined;
    const { basis } = purpose;
    return [
      name,
      { id, essential, asksConsent, defaultOn, parent, basis, withdrawnBy: new Set(withdrawnBy) },
    ];
  });
  const regions = Object.entries(policy.regions ?? {});
  // A signal that the order forgot is heard first: leaving it out must not make it weaker.
  const forgotten = SIGNAL_NAMES.filter(
    (signal) => signals[signal] && !precedence.includes(signal),
  );
  return {
    purposes: new Map(purposes),
    voices: [
      ...forgotten,
      ...precedence,
      ...(precedence.includes('consent') ? [] : (['consent'] as const)),
    ],
    consentRegions: new Set(
      regions.filter(([, rule]) => rule['consent-required']).map(([region]) => region),
    ),
  };
}

const ALLOWED: readonly Because[] = ['essential', 'consent-given', 'on-by-default'];
const answers = new Map<Because, Decision>();
/** Shared and frozen: the gate answers for every event and makes no garbage. */
function answer(because: Because): Decision {
  let made = answers.get(because);
  if (!made) {
    made = Object.freeze({ allowed: ALLOWED.includes(because), because });
    answers.set(because, made);
  }
  return made;
}

const speaks = (signals: Signals, name: SignalName) =>
  name === 'gpc' ? signals.gpc : name === 'dnt' ? signals.dnt : signals.doNotSell;

const PARENTS_MAX = 8;

/** Decides about one purpose. Never waits, never throws. */
export function decidePurpose(
  rules: ConsentRules,
  purpose: string,
  facts: Facts,
  depth = 0,
): Decision {
  const rule = rules.purposes.get(purpose);
  if (!rule || depth > PARENTS_MAX) return answer('purpose-unknown');
  if (rule.parent !== undefined) {
    const above = decidePurpose(rules, rule.parent, facts, depth + 1);
    if (!above.allowed) return answer('parent-not-allowed');
  }
  if (rule.essential) return answer('essential');
  for (const voice of rules.voices) {
    if (voice === 'consent') {
      const said = heardFrom(facts, rule.id);
      if (said) return answer(said);
    } else if (rule.withdrawnBy.has(voice)) {
      if (speaks(facts.signals, voice)) return overruled(rules, rule, voice, facts);
      if (isHeardStill(facts, rule.id, voice)) return answer(`signal-${voice}`);
    }
  }
  return answer(silence(rules, rule, facts.region));
}

/** What the person said themselves; nothing when they were silent. */
function heardFrom({ state, now }: Facts, purpose: PurposeId): Because | undefined {
  if (state === 'unknown') return 'decisions-not-loaded';
  const decided = state?.decisions.get(purpose);
  if (!decided) return undefined;
  return becauseOf(decided, now);
}

export function becauseOf({ granted, status, expiresAt }: Decided, now: number): Because {
  if (!granted) return status === 'ConsentWithdrawn' ? 'consent-withdrawn' : 'consent-refused';
  // An expired yes is no silence: the default it once replaced must not come back by itself.
  return expiresAt <= now ? 'consent-expired' : 'consent-given';
}

function silence(rules: ConsentRules, rule: PurposeRule, region: string | undefined): Because {
  if (rule.asksConsent) return 'consent-not-given';
  if (!rule.defaultOn) return 'off-by-default';
  const asksHere = region !== undefined && isWithin(region, rules.consentRegions);
  return asksHere ? 'region-asks-consent' : 'on-by-default';
}

/** A signal that was heard once is the person's no from any browser, until they decide anew. */
function isHeardStill({ subject, state }: Facts, purpose: PurposeId, signal: SignalName): boolean {
  if (subject === undefined || state === undefined || state === 'unknown') return false;
  if (state.noted.size === 0) return false;
  const overrules = state.decisions.get(purpose)?.receipt ?? null;
  return state.noted.has(conflictName({ purpose, signal, overrules }));
}

/** A signal says no. If that changed the answer for a known person, it goes on record once. */
function overruled(
  rules: ConsentRules,
  { id: purpose }: PurposeRule,
  signal: SignalName,
  facts: Facts,
): Decision {
  const because = answer(`signal-${signal}`);
  const { subject, state } = facts;
  if (subject === undefined || state === undefined || state === 'unknown') return because;
  const overrules = state.decisions.get(purpose)?.receipt ?? null;
  const conflict: Conflict = { subject, purpose, signal, overrules };
  if (state.noted.has(conflictName(conflict))) return because;
  const otherwise = decidePurpose(rules, purpose, { ...facts, signals: NO_SIGNALS });
  return otherwise.allowed ? { ...because, conflict } : because;
}

/**
 * What a signal says no to, for a known person, and what is not on record yet. Nothing need be
 * overruled for it: that somebody opted out is a fact of its own.
 */
export function optOutsOf(
  rules: ConsentRules,
  { subject, state, signals, now }: Omit<Facts, 'region'>,
): Conflict[] {
  if (subject === undefined || state === undefined || state === 'unknown') return [];
  const ownWord = rules.voices.indexOf('consent');
  return [...rules.purposes.values()].flatMap(({ id: purpose, withdrawnBy }) =>
    [...withdrawnBy].flatMap((signal): Conflict[] => {
      if (!speaks(signals, signal)) return [];
      const decided = state.decisions.get(purpose);
      const stands = decided?.granted === true && decided.expiresAt > now;
      // Where the policy hears the person first, their yes is not overruled.
      if (stands && ownWord < rules.voices.indexOf(signal)) return [];
      const conflict = { subject, purpose, signal, overrules: stands ? decided.receipt : null };
      return state.noted.has(conflictName(conflict)) ? [] : [conflict];
    }),
  );
}

/**
 * Whether a decision takes the place of the one known so far: the later one does, and of two at the
 * same time the refusal, so that the order of arrival never matters.
 */
export function supersedes(
  next: Pick<Decided, 'givenAt' | 'granted'>,
  known: Pick<Decided, 'givenAt' | 'granted'> | undefined,
): boolean {
  if (!known || next.givenAt !== known.givenAt) return !known || next.givenAt > known.givenAt;
  return known.granted && !next.granted;
}
