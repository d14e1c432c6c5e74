import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, terms } from '#core/promises';
import { eventsOf, isMissed, landed, leave, type Missed, pageOf, twice } from './sdk-page.ts';

type Tried = 'delivered' | 'missing' | Missed;

function typeNamed({ policy, canaries }: Look, event: string): string {
  const found = canaries.eventTypes.find((type) => {
    const names = policy.data[type]?.['event-names'] ?? [];
    return names.includes(event) || names.includes('*');
  });
  if (found === undefined) throw new Error('no type takes the event');
  return found;
}

/** A library for pages: loaded from the server, and asked to track something. */
async function tryScript(look: Look, file: string): Promise<Tried> {
  const type = typeNamed(look, 'library_seen');
  if ((await look.http(`/sdk/${file}`)).status === 404) return 'missing';
  const page = await pageOf(look, { file });
  page.run(`${page.name}.track('library_seen', { label: 'canary' })`);
  const isEmpty = await leave(look, page);
  const [event = {}] = eventsOf(page);
  const row = await landed(look, type, event, { requests: page.requests, isEmpty });
  return isMissed(row) ? row : 'delivered';
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
  const requests: { status: number }[] = [];
  const client = createClient({
    endpoint,
    writeKey,
    tenant,
    storage: 'memory',
    essential: ['*'],
    async fetch(url: string, request: RequestInit) {
      const made = { status: 0 };
      requests.push(made);
      for (const [, id = ''] of String(request.body).matchAll(/"messageId":"(\w+)"/g)) {
        await look.canaries.note(id);
        messages.push(id);
      }
      const answer = await fetch(url, request);
      made.status = answer.status;
      return answer;
    },
  });
  client.track('library_seen', { label: 'canary' });
  const isEmpty = await client.shutdown(8_000);
  const [messageId] = messages;
  const event = messageId === undefined ? {} : { messageId };
  const row = await landed(look, type, event, { requests, isEmpty });
  return isMissed(row) ? row : 'delivered';
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
    for (const name of names) tried.set(name, await twice(() => tryNamed(look, name)));
    const of = (state: Tried) => names.filter((name) => tried.get(name) === state);
    const [lost, missing, delivered] = [of('lost'), of('missing'), of('delivered')];
    if (lost.length > 0) return broken(saw`what ${terms(lost)} sent was not stored`);
    const unseen = of('unseen');
    if (unseen.length > 0) return gap(saw`nothing could be seen of what ${terms(unseen)} sent`);
    if (missing.length > 0) {
      return gap(saw`not shipped: ${terms(missing)}; delivered: ${terms(delivered)}`);
    }
    return kept(saw`${terms(delivered)}: served, and what it sent was stored`);
  },
});
