import type { KeyId, PurposeId, SubjectId, TenantId } from '#base/ids';
import type { Loggable } from '#base/loggable';
import { ACTIONS, type Action, type ActorKind } from './actions.ts';
import { policyProblem } from './errors.ts';

/** Who asks. Only a `system` actor, and an operator of the whole installation, has no tenant. */
export type Actor = {
  readonly kind: ActorKind;
  readonly id: KeyId;
  readonly tenant?: TenantId;
  /** For a subject: the person they are. */
  readonly subject?: SubjectId;
};

/** Where the act happens: any `TenantTx` is one. */
export type PermitContext = { readonly tenant: TenantId; readonly revision: number };

export type Facts = { readonly subject?: SubjectId; readonly purpose?: PurposeId } & Readonly<
  Record<string, Loggable | undefined>
>;

/** Leave for one act, under one revision of one tenant's policy. */
class Leave<Allowed extends Action> {
  // A private field makes the type nominal: nothing that merely looks like a permit is one.
  readonly #genuine = true;
  readonly action: Allowed;
  readonly actor: Actor;
  readonly tenant: TenantId;
  readonly revision: number;

  constructor(action: Allowed, actor: Actor, { tenant, revision }: PermitContext) {
    this.action = action;
    this.actor = actor;
    this.tenant = tenant;
    this.revision = revision;
    Object.freeze(this);
  }

  /** True for a permit, false for anything shaped like one. */
  static isGenuine(permit: object): boolean {
    return #genuine in permit;
  }
}

export type Permit<Allowed extends Action = Action> = Leave<Allowed>;

/**
 * Asks once for one act.
 *
 * A kind of actor that may not do it, another tenant's key and another person's record all get the
 * same answer, so that nobody learns what exists elsewhere.
 *
 * @throws Problem forbidden. The caller records the refusal before it answers.
 */
export function authorize<Wanted extends Action>(
  context: PermitContext,
  actor: Actor,
  action: Wanted,
  facts: Facts = {},
): Permit<Wanted> {
  const kinds: readonly ActorKind[] = ACTIONS[action];
  const elsewhere = actor.tenant !== undefined && actor.tenant !== context.tenant;
  const homeless = actor.tenant === undefined && !mayRoam(actor.kind);
  const another =
    actor.kind === 'subject' && facts.subject !== undefined && facts.subject !== actor.subject;
  if (!kinds.includes(actor.kind) || elsewhere || homeless || another) {
    throw policyProblem('forbidden', `${actor.kind} may not do ${action} here`);
  }
  return new Leave(action, actor, context);
}

const mayRoam = (kind: ActorKind) => kind === 'system' || kind === 'operator';
