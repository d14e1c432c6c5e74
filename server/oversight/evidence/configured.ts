import { isPlaceholder, type Look, saysTheSame, shownAt, valueAt } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, term } from '#core/promises';

/** A member of a list of plain values is shown with the list. */
function placeOf(document: unknown, path: string): { path: string; value: unknown } {
  const above = path.slice(0, Math.max(0, path.lastIndexOf('.')));
  const list = above === '' ? undefined : valueAt(document, above);
  return Array.isArray(list) && list.every((member) => typeof member !== 'object')
    ? { path: above, value: list }
    : { path, value: valueAt(document, path) };
}

type Beyond = (look: Look, value: string) => Promise<Seen | undefined>;

/** Words where an address has to be: nothing can be fetched, so nothing is offered. */
const fetched: Beyond = async (look, value) => {
  if (!value.startsWith('/')) return gap(saw`the document has words there and no address`);
  const { status } = await look.http(value);
  return status === 200 ? undefined : broken(saw`its address answers ${status}`);
};

const keyServed: Beyond = async (look, value) => {
  if (value.startsWith('-----BEGIN PGP PUBLIC KEY BLOCK-----')) return undefined;
  if (!value.startsWith('/'))
    return gap(saw`no public key is on file: there are words in its place`);
  const { status, text } = await look.http(value);
  const served = status === 200 && text.includes('BEGIN PGP PUBLIC KEY BLOCK');
  return served ? undefined : broken(saw`no public key is served at its address`);
};

const inSecurityText: Beyond = async (look, value) => {
  const { status, text } = await look.http('/.well-known/security.txt');
  const named = text.split(/\r?\n/).includes(`Contact: mailto:${value}`);
  return status === 200 && named ? undefined : broken(saw`security.txt does not name it`);
};

/** The date picks the revision: one that begins later is not in force today. */
const inEffect: Beyond = async (look, value) => {
  const [row] = await look.sql<{ effective: string }[]>`
    select document ->> 'effective' as effective
    from troth.policies
    where tenant = ${look.tenant} and in_force`;
  const today = (await look.now()).toISOString().slice(0, 10);
  if (row?.effective !== value) return broken(saw`the revision in force begins on another day`);
  return value <= today ? undefined : broken(saw`a revision that begins later is in force`);
};

const registered: Beyond = async (look, value) => {
  const html = (await look.http(`/v1/t/${look.tenant}/policy.html`)).text;
  const named = Object.values(look.policy.recipients ?? {}).find(({ title }) => title === value);
  const purpose = look.policy.purposes[named?.purpose ?? ''];
  const titles = (named?.data ?? []).map((id) => look.policy.data[id]?.title ?? id);
  const row = html.split('<tr>').find((cells) => cells.includes(`>${value}<`)) ?? '';
  const missing = [purpose?.title ?? '', ...titles].filter((word) => !row.includes(word));
  return missing.length === 0 ? undefined : broken(saw`its row lacks the purpose or the data`);
};

/** The unit of a price is one only with its amount beside it. */
const priced: Beyond = async (look, value) => {
  const html = (await look.http(`/v1/t/${look.tenant}/policy.html`)).text;
  const cents = look.policy.prices?.find(({ title }) => title === value)?.['amount-cents'];
  const amount = cents === undefined ? undefined : `>${(cents / 100).toFixed(2)} `;
  const isBeside = html
    .split('<tr>')
    .some((row) => amount !== undefined && row.includes(`>${value}<`) && row.includes(amount));
  return isBeside ? undefined : broken(saw`its row on the page lacks the price`);
};

const OUR_ENGINES = /^(ClickHouse|PostgreSQL)\b/;

/** That a store is named says neither that it is there nor where it stands. */
const engineThere: Beyond = async (_, value) =>
  OUR_ENGINES.test(value)
    ? gap(saw`it is shown; nothing tells who runs this store or where it stands`)
    : gap(saw`it is shown; Troth runs no ${term(value)} here, and nothing tells where one stands`);

const unseen =
  (why: ReturnType<typeof saw>): Beyond =>
  async () =>
    gap(why);

/** What a value must be beyond being shown, by its place in the document. */
const BEYOND: readonly (readonly [place: RegExp, look: Beyond])[] = [
  [/\.pgp$/, keyServed],
  [/^effective$/, inEffect],
  [/^recipients\.[^.]+\.title$/, registered],
  [
    /^recipients\./,
    unseen(saw`it is in the register; nothing here sees whether this recipient does that work`),
  ],
  [/^locations\.[^.]+\.engine$/, engineThere],
  [/^locations\./, unseen(saw`it is shown; nothing tells where a store stands`)],
  [/^prices\.\d+\.title$/, priced],
  [
    /^statements\.no-absolute-guarantee$/,
    unseen(saw`it is shown; it says what cannot be had, which no check can pass`),
  ],
  [/^controller\.contacts\.security\.email$/, inSecurityText],
  [/^statements\.links\./, fetched],
  [/^statements\.data-processing-agreement$/, fetched],
  [
    /^statements\.complaint$/,
    unseen(saw`it is shown; no refusal of a request carries it in this version`),
  ],
  [
    /^statements\.provider-/,
    unseen(saw`it is shown; no provider can be connected in this version`),
  ],
  [
    /^controller\.contacts\.data-subject-requests\.email$/,
    unseen(saw`it is shown; mail to it opens no request in this version`),
  ],
];

async function proveConfigured(look: Look, paths: readonly string[]): Promise<Seen> {
  const [json, html] = await Promise.all([
    look.http(`/v1/t/${look.tenant}/policy`),
    look.http(`/v1/t/${look.tenant}/policy.html`),
  ]);
  if (json.status !== 200 || html.status !== 200) return gap(saw`the policy is not served`);
  const served = (json.json as { policy: unknown }).policy;
  let places = 0;
  const beyond: Seen[] = [];
  for (const path of paths) {
    const wanted = valueAt(look.policy, path);
    if (wanted === undefined) return gap(saw`the policy has no value at ${term(path)}`);
    if (JSON.stringify(valueAt(served, path)) !== JSON.stringify(wanted))
      return broken(saw`the interface gives another value at ${term(path)}`);
    const place = placeOf(look.policy, path);
    const shown = shownAt(html.text, place.path);
    if (shown.length === 0) return broken(saw`the page does not show ${term(path)}`);
    const name = place.path.split('.').at(-1) ?? '';
    if (!shown.every((words) => saysTheSame(words, place.value, name)))
      return broken(saw`the page shows another value at ${term(path)}`);
    places += shown.length;
    if (isPlaceholder(wanted))
      beyond.push(gap(saw`${term(path)} is a placeholder that nobody has filled in`));
    for (const [fits, ask] of BEYOND) {
      const more = fits.test(path) ? await ask(look, String(wanted)) : undefined;
      if (more) beyond.push(more);
    }
  }
  const worst = beyond.find(({ state }) => state === 'broken') ?? beyond[0];
  return (
    worst ??
    kept(
      saw`${paths.length} values are the same in the document, the interface and ${places} places of the page`,
    )
  );
}

/** The proof of a promise that is bound to values of the document and to no control. */
export const configured = defineProof({
  control: 'configuration',
  strength: 'configuration',
  blindTo: 'Whether the value is true: that somebody answers at an address is not looked at.',
  prove: (look, binding) => proveConfigured(look, binding['paths'] as readonly string[]),
});
