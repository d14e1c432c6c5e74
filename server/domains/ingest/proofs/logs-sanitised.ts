import { asClient, type Fields, type Look, withFields } from '#core/looking';
import {
  broken,
  defineProof,
  eachType,
  gap,
  kept,
  type Seen,
  saw,
  term,
  terms,
} from '#core/promises';
import { contentOf, OWN_CATEGORY } from './content.ts';
import { held, sendAll } from './sent.ts';

/** The text fields of a type, and the classes of content that each must lose. */
function fieldsOf({ policy }: Look, type: string) {
  const classes = policy.ingest?.strip ?? [];
  return Object.values(policy.compiled.data[type]?.fields ?? {})
    .filter((field) => field.type === 'string' || field.type === 'json')
    .map(({ name, max }) => {
      const declared = policy.data[type]?.fields?.[name];
      const category = typeof declared === 'object' ? declared.category : undefined;
      const lost = classes.filter((one) => !OWN_CATEGORY[one]?.some((own) => category === own));
      return { name, room: max ?? 1_024, lost };
    });
}

async function look(at: Look, type: string): Promise<Seen> {
  const person = await at.canaries.agreeing();
  const plain = at.canaries.event(type, person);
  const tries = fieldsOf(at, type).flatMap(({ name, room, lost }) =>
    lost.flatMap((what) =>
      contentOf(what).map(({ text, secrets }) => ({ name, what, secrets, text, room })),
    ),
  );
  const fitting = tries.filter(({ text, room }) => text.length <= room);
  if (fitting.length === 0) return gap(saw`${term(type)} has no field that could hold a secret`);
  const events: Fields[] = fitting.map(({ name, text }) => withFields(plain, { [name]: text }));
  const told = await sendAll(at, [plain, ...events]);
  const control = await held(at, type, told[0]?.message ?? '');
  if (!control?.text.includes(person.marker)) return gap(saw`the control could not be read back`);
  const leaked = new Set<string>();
  for (const [index, { secrets, what }] of fitting.entries()) {
    const one = await held(at, type, told[index + 1]?.message ?? '', 2_500);
    if (!one) return gap(saw`a canary in ${term(type)} could not be read back`);
    if (secrets.some((secret) => one.text.includes(secret))) leaked.add(what);
  }
  const secrets = fitting.flatMap((one) => one.secrets);
  if (leaked.size > 0) return broken(saw`${terms([...leaked])} stood in stored ${term(type)}`);
  return lookInLogs(at, { type, secrets, count: fitting.length });
}

type Looked = {
  readonly type: string;
  readonly secrets: readonly string[];
  readonly count: number;
};

/** The platform's own logs: requests that fail with a secret inside must not be quoted there. */
async function lookInLogs(at: Look, { type, secrets, count }: Looked): Promise<Seen> {
  const { marker } = at.canaries.person();
  await asClient(at, '/batch', {
    headers: { 'content-type': 'application/json' },
    body: `{"${marker}`,
  });
  await asClient(at, `/${marker}`);
  await asClient(at, '/batch', { body: { batch: [{ type: marker, event: marker }] } });
  const patterns = [marker, ...secrets.slice(0, 40)].filter((text) => text.length >= 8);
  const { stores } = await at.bytes(patterns.map((text) => Buffer.from(text)));
  const logs = stores.find(({ store }) => store === 'logs')?.files ?? 0;
  const hits = stores.flatMap(({ counts }) => counts).reduce((sum, hit) => sum + hit, 0);
  if (hits > 0) return broken(saw`${hits} copies of a secret lie in files of the server`);
  if (logs === 0) return gap(saw`no log file lies on this machine to look into`);
  return kept(
    saw`${count} secrets in messages of ${term(type)} were cut out before they were stored; 3 failed
 requests left none in ${logs} log files nor in any file of a store`,
  );
}

export const logsSanitised = defineProof({
  control: 'ingest.logs-sanitised',
  strength: 'stored-bytes',
  blindTo:
    'What the server writes to its error output, where that is kept outside its data folder.',
  prove: (at, { data }) => eachType(data, (type) => look(at, type)),
});
