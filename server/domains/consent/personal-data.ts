import type { SubjectId } from '#base/ids';
import type { PersonalData } from '#core/domain';
import type { TenantTx } from '#core/tenancy';
import { readReceipts } from './store.ts';

export const consentPersonalData: PersonalData = {
  export: async (tx, subject) => ({ consent_receipts: await readReceipts(tx, subject) }),
  erase: eraseReceipts,
};

/** Runs in a transaction of the role `troth_eraser`; no other role may delete a receipt. */
async function eraseReceipts(tx: TenantTx, subject: SubjectId): Promise<Record<string, number>> {
  const { count } = await tx`
    delete from consent_receipts
    where subject = ${subject}`;
  return { consent_receipts: count };
}
