/** The form in which rows are set aside: that of the inbox, each with its batch filled in. */
import { decodeInbox, encodeInbox, ROW_BATCH_AT, Section } from './inbox-format.ts';

export type StuckSection = {
  readonly layout: number;
  readonly day: number;
  readonly rows: readonly Buffer[];
};

/** @param batch  the one that the rows would have had; a later try is found by it. */
export function stuckBody({ layout, day, rows }: StuckSection, batch: bigint): Buffer {
  const section = new Section(layout, day);
  for (const row of rows) {
    const copy = Buffer.from(row);
    copy.writeBigUInt64LE(batch, ROW_BATCH_AT);
    section.beginRow().raw(copy);
    section.endRow();
  }
  return encodeInbox([section]);
}

/** The rows of such a body, without what frames them. */
export const stuckRows = (body: Buffer): Buffer[] => [...decodeInbox(body)].map(({ row }) => row);
