import * as language from '@troth/policy-language';

export type PolicyPlan = { readonly material: boolean };

type Planner = (current: language.Policy | undefined, next: language.Policy) => PolicyPlan;

export const planChange: Planner =
  (language as unknown as { planChange?: Planner }).planChange ?? (() => ({ material: false }));
