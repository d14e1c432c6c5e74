/**
 * The bytes of one inbox row: sections of rows that are ready for the engine.
 *
 *     "TRI1" | section*          section: layout u32 | day u32 | rows u32 | bytes u32 | row*
 *                                row:     length u32 | RowBinary
 *
 * `layout` names table and columns; `day` (since 1970, of the receipt) keeps an insert inside one
 * partition, so that the engine takes it whole or not at all. Each row begins with its batch (zero
 * until the mover fills it in), its message and the time of receipt.
 */
import { RowBytes } from './row-bytes.ts';

const MAGIC = 0x31_49_52_54;
const SECTION_HEAD_BYTES = 16;

export const ROW_BATCH_AT = 0;
export const ROW_MESSAGE_AT = 8;

/** Collects rows of one table and day, for one inbox row after the other. */
export class Section {
  readonly layout: number;
  readonly day: number;
  readonly bytes = new RowBytes();
  rows = 0;
  #start = 0;

  constructor(layout: number, day: number) {
    this.layout = layout;
    this.day = day;
  }

  /** Opens a row; what is written to `bytes` until `endRow` belongs to it. */
  beginRow(): RowBytes {
    this.#start = this.bytes.length;
    this.bytes.u32(0);
    return this.bytes;
  }

  endRow(): void {
    this.bytes.u32At(this.#start, this.bytes.length - this.#start - 4);
    this.rows++;
  }

  clear(): void {
    this.bytes.clear();
    this.rows = 0;
  }
}

/** Copies: the sections may be cleared and written again at once. */
export function encodeInbox(sections: Iterable<Section>): Buffer {
  const parts: Buffer[] = [];
  const magic = Buffer.allocUnsafe(4);
  magic.writeUInt32LE(MAGIC);
  parts.push(magic);
  for (const { layout, day, rows, bytes } of sections) {
    const head = Buffer.allocUnsafe(SECTION_HEAD_BYTES);
    head.writeUInt32LE(layout, 0);
    head.writeUInt32LE(day, 4);
    head.writeUInt32LE(rows, 8);
    head.writeUInt32LE(bytes.length, 12);
    parts.push(head, bytes.view());
  }
  return Buffer.concat(parts);
}

export type InboxRow = {
  readonly layout: number;
  readonly day: number;
  /** RowBinary without its length; a view into the body. */
  readonly row: Buffer;
};

/**
 * Reads the rows of a body in their order.
 *
 * @throws Error when the bytes are not what `encodeInbox` makes: that is damage, never input.
 */
export function* decodeInbox(body: Buffer): Generator<InboxRow> {
  if (body.length < 4 || body.readUInt32LE(0) !== MAGIC) throw new Error('not an inbox body');
  let at = 4;
  while (at < body.length) {
    const layout = body.readUInt32LE(at);
    const day = body.readUInt32LE(at + 4);
    const end = at + SECTION_HEAD_BYTES + body.readUInt32LE(at + 12);
    at += SECTION_HEAD_BYTES;
    while (at < end) {
      const length = body.readUInt32LE(at);
      yield { layout, day, row: body.subarray(at + 4, at + 4 + length) };
      at += 4 + length;
    }
  }
}
