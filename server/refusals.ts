/** Whom the refusals at the doors are recorded against: a genuine key, or a stranger. */
import { type TenantId, Word } from '#base/ids';
import type { Problem } from '#base/problem';
import { INSTALLATION, type Refusal, STRANGER } from '#core/audit';
import type { Action, Policies } from '#core/policy';
import type { Refused } from '#domains/ingest';

type Kind = Omit<Refusal, 'now' | 'count'>;

/** Refusals of leave. What could not be read, or came at a bad moment, refused nobody anything. */
const REFUSING: ReadonlySet<number> = new Set([401, 403, 429]);

/** The tenant of a path when it is one of ours: a name that a stranger made up opens no log. */
const logOf = (policies: Policies, tenant: string | undefined): TenantId =>
  policies.find(tenant ?? '')?.tenant ?? INSTALLATION;

/** What is to be recorded of a refusal, if anything is. */
export function refusalOf(
  policies: Policies,
  problem: Problem,
  { key, tenant, action }: Refused & { readonly action: Action },
): Kind | undefined {
  if (!REFUSING.has(problem.status)) return undefined;
  const code = Word(problem.code);
  if (key === undefined) return { tenant: logOf(policies, tenant), actor: STRANGER, action, code };
  const actor = { kind: 'write-key', id: key.id, tenant: key.tenant } as const;
  return { tenant: key.tenant, actor, action, code };
}
