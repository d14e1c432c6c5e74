/** What a canary sends as markup, as SQL or as a template: how it is stored, and how it is read. */
import { type Fields, type Look, momentOf, type StoredRow, withFields } from '#core/looking';
import { broken, gap, kept, type Saw, type Seen, saw, term } from '#core/promises';

const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '<script>alert(1)</script>',
  "'; drop table t; --",
  '{{7*7}}#{7*7}',
];
/** Room for one of these and the canary's marker. */
const ROOM = 60;

type Type = { readonly id: string; readonly fields: readonly string[]; readonly purpose: string };

/** A type with fields that take any text. */
function typeOf({ policy, canaries }: Look): Type | undefined {
  for (const id of canaries.eventTypes) {
    const all = Object.values(policy.compiled.data[id]?.fields ?? {});
    const free = all.filter(({ name, type, max }) => {
      return type === 'string' && !name.endsWith('origin') && (max ?? ROOM) >= ROOM;
    });
    const [purpose] = policy.data[id]?.purposes ?? [];
    if (free.length > 0 && purpose) return { id, fields: free.map(({ name }) => name), purpose };
  }
  return undefined;
}

/** Whether the policy has something cut out that leaves this: a mark where it stood, nothing else. */
function isStripped({ policy }: Look, stored: string, sent: string): boolean {
  const classes: readonly string[] = policy.ingest?.strip ?? [];
  const pieces = stored.split(/\[([a-z-]+)\]/);
  const marks = pieces.filter((_, at) => at % 2 === 1);
  if (marks.length === 0 || marks.some((mark) => !classes.includes(mark))) return false;
  let from = 0;
  for (const piece of pieces.filter((_, at) => at % 2 === 0)) {
    const at = sent.indexOf(piece, from);
    if (at < 0) return false;
    from = at + piece.length;
  }
  return true;
}

/** The row as the service's own door gives it; a sentence where it would be taken for a page. */
async function readingOf(look: Look, type: Type, row: StoredRow): Promise<Fields | Saw> {
  const message = String(row['message']);
  const { from, until } = await momentOf(look, type.id, message);
  const told = await look.operator(`/v1/t/${look.tenant}/events/read`, {
    body: { data: type.id, purpose: type.purpose, from, until, limit: 1_000 },
  });
  const isJson = told.headers.get('content-type')?.startsWith('application/json') === true;
  if (!isJson || told.headers.get('x-content-type-options') !== 'nosniff') {
    return saw`hostile text came back as what a browser may take for a page`;
  }
  const { rows = [] } = (told.json ?? {}) as { rows?: readonly Fields[] };
  return rows.find((one) => String(one['message']) === message) ?? {};
}

type Tally = { whole: number; cut: number; read: number };

/** One event that is hostile in every free field; a sentence where it is not what was sent. */
async function follow(
  look: Look,
  type: Type,
  payload: string,
  tally: Tally,
): Promise<Saw | undefined> {
  const person = await look.canaries.agreeing();
  const sent = `${payload}${person.marker}`;
  const values = Object.fromEntries(type.fields.map((name) => [name, sent]));
  const event = withFields(look.canaries.event(type.id, person), values);
  const { status, messages } = await look.canaries.send([event]);
  if (status !== 200) return undefined;
  const rows = await look.canaries.stored(type.id, messages[0] ?? '');
  if (rows.length > 1) return saw`one hostile event became several rows`;
  const [row] = rows;
  if (!row) return undefined;
  const opened = await look.canaries.opened(type.id, row);
  const reading = await readingOf(look, type, row);
  if (typeof reading === 'string') return reading;
  for (const name of type.fields) {
    const stored = row[`f_${name}`] ?? opened?.[name];
    if (stored === sent) tally.whole += 1;
    else if (typeof stored === 'string' && isStripped(look, stored, sent)) tally.cut += 1;
    else return saw`hostile text in ${term(name)} is stored as neither what was sent nor cut out`;
    const shown = reading[`f_${name}`] ?? reading[name];
    if (shown !== undefined && shown !== stored) {
      return saw`hostile text in ${term(name)} is read as something else than is stored`;
    }
    if (shown !== undefined) tally.read += 1;
  }
  return undefined;
}

/** Hostile texts are stored as the texts that they are, or cut as the policy says; and so read. */
export async function storedAsText(look: Look): Promise<Seen> {
  const type = typeOf(look);
  if (!type) return gap(saw`no type of events takes a text to look by`);
  const tally: Tally = { whole: 0, cut: 0, read: 0 };
  for (const payload of HOSTILE) {
    const wrong = await follow(look, type, payload, tally);
    if (wrong) return broken(wrong);
  }
  const { whole, cut, read } = tally;
  if (whole + cut < HOSTILE.length * type.fields.length) {
    return gap(saw`only ${whole + cut} hostile texts could be found where they are stored`);
  }
  if (whole === 0) return gap(saw`of every hostile text something was cut: none could be compared`);
  return kept(
    saw`${whole} hostile texts are stored letter by letter as they were sent, ${cut} with what the policy has cut out; ${read} came back as text that no browser runs`,
  );
}
