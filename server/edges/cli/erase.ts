/** `troth erase`, `troth erasures`: forgetting a person, and what became of it. */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { askServer } from './running-server.ts';
import { type Answer, type Command, type Invocation, table, Usage } from './terminal.ts';

type Erasure = {
  id: string;
  state: string;
  found: string;
  trouble: string | null;
  ground: string | null;
  requestedAt: string;
  destroyAt: string | null;
  finishedAt: string | null;
};
type Row = { what: string; at: string; place?: string; counted?: number; remains?: number };
type Followed = Erasure & { timeline: Row[] };

const LOOK_EVERY_MS = 250;
const WAIT_MS = 30 * 60_000;

function tenantOf({ options }: Invocation): string {
  if (!options.tenant || !/^[a-z][a-z0-9-]{1,30}$/.test(options.tenant)) {
    throw new Usage('say of which service: --tenant NAME');
  }
  return options.tenant;
}

/** Exactly one way to name a person. What was typed goes into a body, never into an address. */
function personOf({ options }: Invocation): object {
  const { user, anonymous, account, subject } = options;
  const named = [
    ...(user === undefined ? [] : [{ handle: { kind: 'user', value: user } }]),
    ...(anonymous === undefined ? [] : [{ handle: { kind: 'anonymous', value: anonymous } }]),
    ...(account === undefined ? [] : [{ handle: { kind: 'account', value: account } }]),
    ...(subject === undefined ? [] : [{ subject }]),
  ];
  const [person, ...others] = named;
  if (!person || others.length > 0) {
    throw new Usage('name one person: --user ID, --anonymous ID, --account ID or --subject ID');
  }
  return person;
}

const sentenceOf = ({ id, state, ground, destroyAt, trouble }: Erasure): string => {
  const says: Record<string, string> = {
    held: `held on the ground of ${ground}: nothing is destroyed until the hold is lifted`,
    hidden: `hidden; it can be undone until ${destroyAt}`,
    shredded: 'hidden, and the key is destroyed; the rows go next',
    deleted: 'the rows are gone; the stored bytes are being searched',
    done: 'done; the certificate is signed',
    undone: 'undone',
  };
  return `${id}  ${says[state] ?? state}${trouble ? ` (waits: ${trouble})` : ''}`;
};

async function follow(invocation: Invocation, path: string): Promise<Followed> {
  const shown = new Set<string>();
  for (const end = Date.now() + WAIT_MS; ; await sleep(LOOK_EVERY_MS)) {
    const seen = (await askServer(invocation.dataDir, 'GET', path)) as Followed;
    for (const { what, at, place, counted, remains } of seen.timeline) {
      const line = [at, what, place, counted && `${counted} rows, ${remains} remain`];
      const text = line.filter(Boolean).join('  ');
      if (!shown.has(text)) invocation.progress(text);
      shown.add(text);
    }
    const isAtRest = ['done', 'undone', 'held', 'hidden'].includes(seen.state);
    if (isAtRest || Date.now() > end) return seen;
  }
}

export const eraseCommand: Command = {
  takes:
    '--tenant T --user ID|--anonymous ID|--account ID|--subject ID [--complete] [--verified HOW] [--wait]',
  does: 'forget a person: keys, rows, bytes, with a certificate',
  async run(invocation): Promise<Answer> {
    const { dataDir, options } = invocation;
    const tenant = tenantOf(invocation);
    const body = {
      ...personOf(invocation),
      ...(options.reason === undefined ? {} : { reason: options.reason }),
      ...(options.complete ? { complete: true } : {}),
      ...(options.verified === undefined ? {} : { verified: options.verified }),
      // Whoever types this command has confirmed it.
      confirm: true,
    };
    const path = `/v1/t/${tenant}/erasures`;
    const asked = (await askServer(dataDir, 'POST', path, body)) as Erasure;
    if (!options.wait) return { text: sentenceOf(asked), json: asked };
    const seen = await follow(invocation, `${path}/${asked.id}`);
    return { text: sentenceOf(seen), json: seen, no: seen.state !== 'done' };
  },
};

export const erasuresCommand: Command = {
  takes: '--tenant T [ID [--out FILE] [--undo]]',
  does: 'look at erasures, write a certificate, undo what can be undone',
  async run(invocation): Promise<Answer> {
    const { dataDir, names, options } = invocation;
    const path = `/v1/t/${tenantOf(invocation)}/erasures`;
    const [id] = names;
    if (id === undefined) {
      const said = (await askServer(dataDir, 'GET', path)) as { erasures: Erasure[] };
      const rows = said.erasures.map(({ id: one, state, found, requestedAt, trouble }) => [
        ...[one, state, found, requestedAt, trouble ?? ''],
      ]);
      const text = rows.length > 0 ? table([HEAD, ...rows]) : 'Nobody asked to be forgotten.';
      return { text, json: said };
    }
    if (!/^[0-9a-f-]{36}$/.test(id)) throw new Usage('that is not the id of an erasure');
    if (options.undo) {
      const undone = (await askServer(dataDir, 'POST', `${path}/${id}/undo`, {})) as Erasure;
      return { text: sentenceOf(undone), json: undone };
    }
    if (options.out === undefined) {
      const seen = (await askServer(dataDir, 'GET', `${path}/${id}`)) as Followed;
      return { text: sentenceOf(seen), json: seen };
    }
    const certificate = await askServer(dataDir, 'GET', `${path}/${id}/certificate`);
    writeFileSync(options.out, `${JSON.stringify(certificate, null, 2)}\n`);
    return { text: `${options.out}: check it with troth verify`, json: certificate };
  },
};

const HEAD = ['id', 'state', 'found', 'asked', 'waits'];
