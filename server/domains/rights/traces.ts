/**
 * What a search for a person's bytes looks for. Gathered while the keyring still knows them, and
 * kept sealed under a key of the request's own: in clear, these very bytes would be what is found.
 */
import type { SubjectId, TenantId } from '#base/ids';
import { Problem } from '#base/problem';
import type { Keys } from '#core/keys';
import type { Permit } from '#core/policy';
import type { Erasure, ErasureId, Wanted } from './model.ts';

type Trace = Awaited<ReturnType<Keys['traces']>>[number];

export type Traces = {
  /** What a client calls the person. */
  readonly handle: string | null;
  /** Its blind index, base64. */
  readonly index: string | null;
  /** A person may stand here twice: a key that is wrapped anew has another nonce. */
  readonly people: readonly Trace[];
  /** Of some of their rows: message and time of receipt as they stand in the inbox, base64. */
  readonly rows: readonly string[];
};

const keyName = (id: ErasureId) => `erasure-${id}`;

/** Asks the keyring for what it holds of these people. */
export async function gatherTraces(
  keys: Keys,
  tenant: TenantId,
  { handle, subjects }: Pick<Wanted, 'handle'> & { readonly subjects: readonly SubjectId[] },
): Promise<Traces> {
  return {
    handle: handle?.value ?? null,
    index: handle ? (await keys.blindIndex(tenant, handle)).toString('base64') : null,
    people: await keys.traces(tenant, subjects),
    rows: [],
  };
}

const placeOf = ({ id, tenant, revision }: Pick<Erasure, 'id' | 'tenant' | 'revision'>) => ({
  tenant,
  table: 'erasures',
  row: id,
  subject: undefined,
  revision,
});

/** What the keeper says of a key that was destroyed: the erasure it was for has ended before. */
const isDestroyed = (thrown: unknown) =>
  thrown instanceof Problem && thrown.code === 'keyring-call-invalid';

const orUndefined = <T>(opening: Promise<T>): Promise<T | undefined> =>
  opening.catch((thrown: unknown) => {
    if (isDestroyed(thrown)) return undefined;
    throw thrown;
  });

/** @returns undefined where the request's key is destroyed: then nothing is kept of the traces. */
export async function sealTraces(
  keys: Keys,
  erasure: Pick<Erasure, 'id' | 'tenant' | 'revision'>,
  traces: Traces,
): Promise<Buffer | undefined> {
  const vault = await orUndefined(keys.vault(erasure.tenant, keyName(erasure.id)));
  return vault?.seal(Buffer.from(JSON.stringify(traces)), placeOf(erasure));
}

/**
 * @returns undefined where their key is destroyed. A database that was restored may still wait for
 *          an end that the keyring has seen.
 */
export async function openTraces(
  keys: Keys,
  permit: Permit<'vault.open'>,
  erasure: Pick<Erasure, 'id' | 'tenant' | 'revision'>,
  sealed: Buffer,
): Promise<Traces | undefined> {
  const vault = await orUndefined(keys.vault(erasure.tenant, keyName(erasure.id)));
  const text = vault?.open(permit, sealed, placeOf(erasure)).toString();
  return text === undefined ? undefined : (JSON.parse(text) as Traces);
}

/** The number of a key that lives: what a search of the keyring must find. */
export async function controlKeyId(keys: Keys, tenant: TenantId): Promise<Buffer> {
  const vault = await keys.vault(tenant, 'scan-control');
  const place = { tenant, table: 'scan_controls', row: '', subject: undefined, revision: 0 };
  return vault.seal(Buffer.alloc(0), place).subarray(1, 9);
}

/** From here on nobody can tell what was searched for. */
export async function destroyTraces(
  keys: Keys,
  permit: Permit<'key.destroy'>,
  id: ErasureId,
): Promise<void> {
  await keys.destroyVault(permit, keyName(id));
}
