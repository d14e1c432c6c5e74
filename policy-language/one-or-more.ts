/** Where a document takes one value or several: always a list, empty where nothing is written. */
export function listOf<Item>(written: Item | readonly Item[] | undefined): readonly Item[] {
  if (written === undefined) return [];
  return Array.isArray(written) ? written : [written as Item];
}
