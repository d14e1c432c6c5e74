/**
 * Where the parts of a log lie, on the disk and in its addresses.
 *
 * @see https://c2sp.org/tlog-tiles
 */
/** A tile's width and the base of its levels. */
export const TILE_HASHES = 256;

/** A level of hashes, or the entries themselves. */
export type TileLevel = number | 'entries';
export type Tile = {
  readonly level: TileLevel;
  readonly index: number;
  /** 1 to 256; below 256 the tile is partial. */
  readonly width: number;
};

/** Index 1234067 is `x001/x234/067`. */
function indexPath(index: number): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const parts = padded.match(/.{3}/g) ?? [];
  return parts.map((part, at) => (at < parts.length - 1 ? `x${part}` : part)).join('/');
}

/** The folder of the partial versions of a tile. */
export const partialFolder = ({ level, index }: Pick<Tile, 'level' | 'index'>) =>
  `tile/${level}/${indexPath(index)}.p`;

export function tilePath({ level, index, width }: Tile): string {
  const full = `tile/${level}/${indexPath(index)}`;
  return width === TILE_HASHES ? full : `${full}.p/${width}`;
}

const TILE_PATH =
  /^tile\/(entries|0|[1-5]\d?|6[0-3]?|[7-9])\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** `undefined` for what is not the one spelling of a tile's path. */
export function parseTilePath(path: string): Tile | undefined {
  const [, level = '', digits = '', partial] = TILE_PATH.exec(path) ?? [];
  const index = Number(digits.replaceAll(/[x/]/g, ''));
  const width = partial === undefined ? TILE_HASHES : Number(partial);
  const tile: Tile = { level: level === 'entries' ? level : Number(level), index, width };
  return level !== '' && width <= TILE_HASHES && tilePath(tile) === path ? tile : undefined;
}

/** How many hashes the levels of a tree of this size have; one for each level that has any. */
export function levelCounts(size: number): number[] {
  const counts: number[] = [];
  for (let count = size; count > 0; count = Math.floor(count / TILE_HASHES)) counts.push(count);
  return counts;
}

/** The levels of tiles of a tree of this size, entries included, each with how many it has. */
export function levelsOf(size: number): { level: TileLevel; count: number }[] {
  const hashes = levelCounts(size).map((count, level) => ({ level, count }));
  return [{ level: 'entries', count: size }, ...hashes];
}

/** How wide a tile is in a tree of this size; 0 when it has none of it. */
export function widthIn(size: number, { level, index }: Pick<Tile, 'level' | 'index'>): number {
  const count = levelCounts(size)[level === 'entries' ? 0 : level] ?? 0;
  return Math.max(0, Math.min(TILE_HASHES, count - index * TILE_HASHES));
}
