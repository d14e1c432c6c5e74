/** Ends everything that the keyring holds of a service. */
import type { TenantId } from '#base/ids';
import type { Permit } from '#core/policy';
import type { Census, Keeper } from '#platform/keeper';

/** More than any keyring needs: each call takes some thousand rows of each kind. */
const CALLS_MAX = 1_000_000;

/** How much the keyring holds of a service. */
export const tenantCensus = (keeper: Keeper, tenant: TenantId): Promise<Census> =>
  keeper.call('census', { tenant });

/**
 * Destroys every key of a service, in both copies of the keyring, and the map from its people to
 * their ids. Every server has dropped what it knew when this resolves. Safe to repeat.
 *
 * Copies of the keyring that lie elsewhere open until the next rotation, as for everyone.
 *
 * @throws Problem keeper-unavailable, keyring-copy-missing: some may be gone, call again.
 */
export async function destroyTenantKeys(
  keeper: Keeper,
  { tenant }: Permit<'service.remove'>,
): Promise<void> {
  for (let call = 0; call < CALLS_MAX; call++) {
    const { more } = await keeper.call('destroyTenant', { tenant });
    if (!more) return;
  }
  throw new Error('the keys of a service do not end');
}
