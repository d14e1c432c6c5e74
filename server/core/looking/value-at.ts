/** The value of a document at a path with dots, such as `security.tls`; `undefined` without one. */
export function valueAt(document: unknown, path: string): unknown {
  let here = document;
  for (const step of path.split('.')) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return undefined;
    here = (here as Record<string, unknown>)[step];
  }
  return here;
}
