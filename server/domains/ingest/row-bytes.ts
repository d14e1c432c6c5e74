const KEPT_BYTES_MAX = 1024 * 1024;

/**
 * A growing buffer that writes ClickHouse's RowBinary.
 *
 * Rows are encoded once, when the event arrives, and travel as bytes from there: through the inbox
 * and the mover into the engine, which never sees JSON.
 *
 * @see ClickHouse documentation, Formats: RowBinary. Numbers are little-endian; a string is its
 *      length as LEB128 and then its bytes.
 */
export class RowBytes {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 4 * 1024) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** The bytes written so far; valid until the next write. */
  view(from = 0): Buffer {
    return this.#bytes.subarray(from, this.#length);
  }

  /** Forgets everything; the memory is kept for what comes next, unless it was unusually much. */
  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = Buffer.allocUnsafeSlow(KEPT_BYTES_MAX);
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }

  u8(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  u16(value: number): void {
    this.#room(2);
    this.#bytes[this.#length++] = value;
    this.#bytes[this.#length++] = value >>> 8;
  }

  u32(value: number): void {
    this.#room(4);
    const at = this.#length;
    const bytes = this.#bytes;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
    this.#length = at + 4;
  }

  /** Overwrites four bytes that were left free before. */
  u32At(at: number, value: number): void {
    this.#bytes.writeUInt32LE(value, at);
  }

  /** A whole number within ±2^53, as eight bytes. */
  i64(value: number): void {
    const high = Math.floor(value / 4_294_967_296);
    this.u32(value - high * 4_294_967_296);
    this.u32(high);
  }

  f64(value: number): void {
    this.#room(8);
    this.#bytes.writeDoubleLE(value, this.#length);
    this.#length += 8;
  }

  varint(value: number): void {
    this.#room(5);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Bytes that are written as hexadecimal digits. */
  hex(digits: string): void {
    this.#room(digits.length / 2);
    this.#length += this.#bytes.write(digits, this.#length, 'hex');
  }

  zeros(count: number): void {
    this.#room(count);
    this.#bytes.fill(0, this.#length, this.#length + count);
    this.#length += count;
  }

  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  string(text: string): void {
    const units = text.length;
    if (units > 42) {
      this.#longString(text);
      return;
    }
    // Up to 42 UTF-16 units take at most 126 bytes, so the length is one byte, written afterwards.
    this.#room(127);
    const at = this.#length;
    const bytes = this.#bytes;
    for (let i = 0; i < units; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        const wrote = bytes.write(text, at + 1);
        bytes[at] = wrote;
        this.#length = at + 1 + wrote;
        return;
      }
      bytes[at + 1 + i] = code;
    }
    bytes[at] = units;
    this.#length = at + 1 + units;
  }

  #longString(text: string): void {
    const size = Buffer.byteLength(text);
    this.varint(size);
    this.#room(size);
    this.#bytes.write(text, this.#length, size);
    this.#length += size;
  }
}
