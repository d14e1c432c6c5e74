/**
 * Declared fields: how a value that was sent is read, and how it is written as bytes.
 *
 * Both are chosen once, when the policy is compiled, so that the hot path asks no schema.
 */
import type { RowBytes } from './row-bytes.ts';
import type { JsonObject } from './wire.ts';

/** The value is of another type than declared: the sender's mistake, told to it. */
export const WRONG = Symbol('wrong type');
/**
 * The value is longer than declared: it is left out, never cut, since half a text is still text.
 */
export const TOO_LONG = Symbol('too long');

export type Read = (value: unknown) => unknown;
export type Write = (row: RowBytes, value: unknown) => void;

/** A field as a policy declares it, in its long form. */
export type DeclaredField = {
  readonly type?: string | undefined;
  readonly enum?: readonly string[] | undefined;
  readonly max?: number | undefined;
  readonly seal?: string | undefined;
  readonly category?: string | undefined;
  readonly purposes?: readonly string[] | undefined;
};

const TEXT_MAX = 1_024;
const JSON_MAX_BYTES = 16_384;
const NUMBER_TEXT = /^-?\d{1,15}(\.\d{1,15})?$/;
const MONTH = /^\d{4}-(0[1-9]|1[0-2])/;
const DATE = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])/;

/** "string(64)" of a short form; the kind and the limit. */
export function kindOf(field: DeclaredField): { kind: string; max: number | undefined } {
  if (field.enum) return { kind: 'enum', max: undefined };
  const [, kind = 'string', max] = /^([a-z-]+)(?:\((\d+)\))?$/.exec(field.type ?? 'string') ?? [];
  return { kind, max: max === undefined ? field.max : Number(max) };
}

const text =
  (max: number): Read =>
  (value) => {
    if (typeof value === 'string') return value.length > max ? TOO_LONG : value;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    return WRONG;
  };

function readNumber(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : WRONG;
  if (typeof value === 'string' && NUMBER_TEXT.test(value)) return Number(value);
  return WRONG;
}

function readInteger(value: unknown): unknown {
  const number = readNumber(value);
  if (typeof number !== 'number') return WRONG;
  const whole = Math.round(number);
  return Number.isSafeInteger(whole) ? whole : WRONG;
}

function readBoolean(value: unknown): unknown {
  if (typeof value === 'boolean') return value;
  if (value === 1 || value === 'true') return true;
  if (value === 0 || value === 'false') return false;
  return WRONG;
}

/** Milliseconds since 1970, from 1970 to 2099; what is beyond is nobody's time stamp. */
export function readTimestamp(value: unknown): unknown {
  const time =
    typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : NaN;
  return time >= 0 && time < 4_102_444_800_000 ? Math.floor(time) : WRONG;
}

const pattern =
  (shape: RegExp): Read =>
  (value) =>
    typeof value === 'string' ? (shape.exec(value)?.[0] ?? WRONG) : WRONG;

const readCountry: Read = (value) =>
  typeof value === 'string' && /^[A-Za-z]{2}$/.test(value) ? value.toUpperCase() : WRONG;

/** The path of a URL: no origin, no query, no fragment. */
export function pathOf(value: unknown): unknown {
  if (typeof value !== 'string') return WRONG;
  if (value.length > 4_096) return TOO_LONG;
  const origin = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(value)?.[0].length ?? 0;
  const path = value.slice(origin).replace(/[?#].*$/s, '');
  return path.length > TEXT_MAX ? TOO_LONG : path === '' ? '/' : path;
}

/** The origin of a URL, or nothing when it is none. */
export function originOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 4_096) return undefined;
  const found = /^https?:\/\/(?:[^/?#@]{0,256}@)?([^/?#@]{1,253})/i.exec(value);
  return found
    ? `${value.slice(0, value.indexOf(':')).toLowerCase()}://${found[1]?.toLowerCase()}`
    : undefined;
}

const json =
  (max: number): Read =>
  (value) => {
    const written = JSON.stringify(value);
    if (written === undefined) return WRONG;
    return written.length > max ? TOO_LONG : (value as JsonObject);
  };

/** A field that is named an origin holds no more than one, whatever the sender puts there. */
const ORIGIN_NAME = /(?:^|_)origin$/;

/** Chooses how a value is read; called once per field and revision. */
export function readerOf(field: DeclaredField, name = ''): Read {
  const read = readerOfKind(field);
  if (!ORIGIN_NAME.test(name)) return read;
  return (value) => {
    const origin = originOf(value);
    return origin === undefined ? undefined : read(origin);
  };
}

function readerOfKind(field: DeclaredField): Read {
  const { kind, max } = kindOf(field);
  switch (kind) {
    case 'enum': {
      const members: ReadonlySet<unknown> = new Set(field.enum);
      return (value) => (members.has(value) ? value : WRONG);
    }
    case 'number':
      return readNumber;
    case 'integer':
      return readInteger;
    case 'boolean':
      return readBoolean;
    case 'timestamp':
      return readTimestamp;
    case 'month':
      return pattern(MONTH);
    case 'date':
      return pattern(DATE);
    case 'country':
      return readCountry;
    case 'url-path':
      return pathOf;
    case 'json':
      return json(max ?? JSON_MAX_BYTES);
    default:
      return text(max ?? TEXT_MAX);
  }
}

const PLAIN: Readonly<Record<string, Write>> = {
  String: (row, value) => row.string(asText(value)),
  Float64: (row, value) => row.f64(typeof value === 'number' ? value : 0),
  Float32: (row, value) => {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeFloatLE(typeof value === 'number' ? value : 0);
    row.raw(bytes);
  },
  Int64: (row, value) => row.i64(typeof value === 'number' ? Math.round(value) : 0),
  UInt64: (row, value) => row.i64(typeof value === 'number' ? Math.max(0, Math.round(value)) : 0),
  Int32: (row, value) => row.u32(typeof value === 'number' ? Math.round(value) : 0),
  UInt32: (row, value) => row.u32(typeof value === 'number' ? Math.max(0, Math.round(value)) : 0),
  UInt8: (row, value) => row.u8(value === true || value === 1 ? 1 : 0),
  Bool: (row, value) => row.u8(value === true ? 1 : 0),
  Date: (row, value) => row.u16(Math.floor(asTime(value) / 86_400_000)),
  Date32: (row, value) => row.u32(Math.floor(asTime(value) / 86_400_000)),
  DateTime: (row, value) => row.u32(Math.floor(asTime(value) / 1_000)),
  DateTime64: (row, value) => row.i64(asTime(value)),
};

function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : (JSON.stringify(value) ?? '');
}

const asTime = (value: unknown) =>
  typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : 0;

/**
 * Chooses how a value is written for a ClickHouse column type.
 *
 * @throws Error for a type that the compiler of policies never makes.
 */
export function writerOf(columnType: string): Write {
  const inner = /^(?:LowCardinality|Nullable)\((.*)\)$/.exec(columnType)?.[1];
  if (columnType.startsWith('LowCardinality(') && inner !== undefined) return writerOf(inner);
  if (columnType.startsWith('Nullable(') && inner !== undefined) {
    const write = writerOf(inner);
    return (row, value) => {
      if (value === undefined || value === null) row.u8(1);
      else {
        row.u8(0);
        write(row, value);
      }
    };
  }
  const write = PLAIN[/^[A-Za-z0-9]+/.exec(columnType)?.[0] ?? ''];
  if (write === undefined) throw new Error(`no way to write a ${columnType}`);
  return write;
}

/** The column type of a clear field where the engine was not asked. */
export function usualColumnType(field: DeclaredField): string {
  switch (kindOf(field).kind) {
    case 'number':
      return 'Nullable(Float64)';
    case 'integer':
      return 'Nullable(Int64)';
    case 'boolean':
      return 'Nullable(Bool)';
    case 'timestamp':
      return "Nullable(DateTime64(3, 'UTC'))";
    case 'date':
      return 'Nullable(Date32)';
    case 'enum':
    case 'country':
    case 'month':
      return 'LowCardinality(String)';
    default:
      return 'String';
  }
}
