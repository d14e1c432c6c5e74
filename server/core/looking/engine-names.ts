/** What the engines call what the policy names, worked out apart from the code that makes it. */
import type { Look } from './look.ts';

/** Tables of the event store without events: whom an erasure removes, what a search must find. */
export const WORKING_TABLES: ReadonlySet<string> = new Set(['erasing', 'scan_controls']);

/** The name of a type, a purpose or a service inside an engine. */
export const inEngine = (id: string): string => id.replaceAll('-', '_');

/** The schema of the service, and the databases of its events by tier. */
export function placesOf({ tenant }: Pick<Look, 'tenant'>) {
  const name = inEngine(tenant);
  return { schema: `tenant_${name}`, active: `tenant_${name}`, archive: `archive_${name}` };
}
