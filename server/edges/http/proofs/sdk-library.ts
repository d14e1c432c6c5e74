import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, terms } from '#core/promises';
import { eventsOf, leave, pageOf } from './sdk-page.ts';

type Tried = 'delivered' | 'lost' | 'missing';

const typeNamed = ({ policy, canaries }: Look, event: string) =>
  canaries.eventTypes.find((type) => {
    const names = policy.data[type]?.['event-names'] ?? [];
    return names.includes(event) || names.includes('*');
  });

/** A library for pages: loaded from the server, and asked to track something. */
async function tryScript(look: Look, file: string): Promise<Tried> {
  const type = typeNamed(look, 'library_seen');
  if ((await look.http(`/sdk/${file}`)).status === 404) return 'missing';
  const page = await pageOf(look, { file });
  page.run(`${page.name}.track('library_seen', { label: 'canary' })`);
  await leave(look, page);
  const [event] = eventsOf(page);
  const rows = await look.canaries.stored(type ?? '', event?.messageId ?? '');
  return rows.length === 1 ? 'delivered' : 'lost';
}

type Client = {
  track(event: string, properties: object): void;
  shutdown(timeoutMs: number): Promise<boolean>;
};
type Library = { createClient(options: object): Client };

/** The library for Node.js, as the package has it. */
async function tryNode(look: Look): Promise<Tried> {
  const type = typeNamed(look, 'library_seen');
  const { status, text } = await look.http('/sdk/index.js');
  if (status === 404) return 'missing';
  const source = Buffer.from(text).toString('base64');
  const { createClient } = (await import(`data:text/javascript;base64,${source}`)) as Library;
  const { tenant, plain, writeKey } = look;
  const endpoint = `http://${plain.host}:${plain.port}`;
  const messages: string[] = [];
  const client = createClient({
    endpoint,
    writeKey,
    tenant,
    storage: 'memory',
    essential: ['*'],
    async fetch(url: string, request: RequestInit) {
      for (const [, id = ''] of String(request.body).matchAll(/"messageId":"(\w+)"/g)) {
        await look.canaries.note(id);
        messages.push(id);
      }
      return fetch(url, request);
    },
  });
  client.track('library_seen', { label: 'canary' });
  await client.shutdown(8_000);
  const rows = await look.canaries.stored(type ?? '', messages[0] ?? '');
  return rows.length === 1 ? 'delivered' : 'lost';
}

function tryNamed(look: Look, name: string): Promise<Tried> {
  if (name.endsWith('.js') && name !== 'Node.js') return tryScript(look, name);
  return name === 'Node.js' ? tryNode(look) : Promise.resolve('missing');
}

export const sdkLibrary = defineProof({
  control: 'sdk.library',
  strength: 'stored-bytes',
  blindTo: 'Versions that a customer keeps on their own pages.',
  async prove(look, { names: bound }): Promise<Seen> {
    const names = bound as string[];
    const tried = new Map<string, Tried>();
    for (const name of names) tried.set(name, await tryNamed(look, name));
    const of = (state: Tried) => names.filter((name) => tried.get(name) === state);
    const [lost, missing, delivered] = [of('lost'), of('missing'), of('delivered')];
    if (lost.length > 0) return broken(saw`what ${terms(lost)} sent was not stored`);
    if (missing.length > 0) {
      return gap(saw`not shipped: ${terms(missing)}; delivered: ${terms(delivered)}`);
    }
    return kept(saw`${terms(delivered)}: served, and what it sent was stored`);
  },
});
