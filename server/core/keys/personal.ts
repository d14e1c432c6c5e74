import { randomBytes } from 'node:crypto';
import type { TenantId } from '#base/ids';
import type { Personal } from '#core/audit';
import { sealField } from './fields.ts';
import type { SubjectKey } from './model.ts';

const SALT_BYTES = 32;

/**
 * Prepares personal values for an audit entry, which stores commitments to them only.
 *
 * The salt is sealed under the person's key: while it lives, a value can be shown to match; when it
 * is destroyed the entry still proves that something was there, and nobody can try values out.
 */
export function personalOf(
  key: SubjectKey,
  values: Readonly<Record<string, string>>,
  { tenant, revision }: { tenant: TenantId; revision: number },
): Personal {
  const salt = randomBytes(SALT_BYTES);
  const { subject } = key;
  const place = {
    tenant,
    table: 'audit_entries',
    column: 'sealed_salt',
    row: '',
    subject,
    revision,
  };
  return { values, salt, sealedSalt: sealField(key, salt, place) };
}
