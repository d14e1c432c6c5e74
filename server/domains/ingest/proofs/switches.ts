import type { Look } from '#core/looking';

export type Switch = {
  readonly name: string;
  readonly enabled: boolean;
  readonly canDisable: boolean;
};

/** How the enrichments of a service are switched, by name; undefined where it is not told. */
export async function switchesOf(look: Look): Promise<ReadonlyMap<string, Switch> | undefined> {
  const { status, json } = await look.http(`/v1/t/${look.tenant}/enrichments`);
  if (status !== 200) return undefined;
  const { enrichments } = json as { enrichments: Switch[] };
  return new Map(enrichments.map((one) => [one.name, one]));
}

/** Whether the service chose to do without this enrichment, as its policy lets it. */
export async function isSwitchedOff(look: Look, name: string): Promise<boolean> {
  const found = (await switchesOf(look))?.get(name);
  return found?.canDisable === true && !found.enabled;
}
