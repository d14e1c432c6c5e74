/** Who is a member of which role: what a role may do beside what it was granted itself. */
import type { Look } from '#core/looking';

type Membership = {
  readonly member: string;
  readonly held: string;
  /** Uses what the other may do without taking its name, or may hand the membership on. */
  readonly wide: boolean;
  readonly admin: boolean;
  /** The member owns the schema of the server, and so all there is. */
  readonly owner: boolean;
};

const LOGIN = 'troth_app';
const FAMILY = 'troth_purpose';
/** What the server's login becomes for the length of a transaction, beside purposes. */
const REMOVERS = ['troth_eraser', 'troth_sweeper'];

const memberships = ({ sql }: Look) => sql<Membership[]>`
  select members.rolname as member, held.rolname as held, inherit_option as wide,
         admin_option as admin, members.oid = nspowner as owner
  from pg_auth_members
  join pg_roles as members on members.oid = member
  join pg_roles as held on held.oid = roleid
  join pg_namespace on nspname = 'troth'`;

/**
 * Memberships that nothing declares, of the roles that all services share and of the purposes' own;
 * `undefined` where not even the declared ones could be read.
 */
export async function strangeMemberships(
  look: Look,
  purposes: ReadonlyMap<string, string>,
): Promise<readonly string[] | undefined> {
  const live = await memberships(look);
  const family = new Set(live.filter(({ held }) => held === FAMILY).map(({ member }) => member));
  if (!live.some(({ member, held }) => member === LOGIN && REMOVERS.includes(held))) return;
  const looked = new Set([LOGIN, FAMILY, ...REMOVERS, ...purposes.keys()]);

  function declared({ member, held, wide, admin }: Membership): boolean {
    if (admin) return false;
    if (member === LOGIN) return !wide && (REMOVERS.includes(held) || family.has(held));
    return held === FAMILY && member.startsWith('troth_');
  }
  return live
    .filter(({ member, held }) => looked.has(member) || looked.has(held))
    .filter((one) => !one.owner && !declared(one))
    .map(({ member, held }) => `${member}: all that ${held} may`);
}
