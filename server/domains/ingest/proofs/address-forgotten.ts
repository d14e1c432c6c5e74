import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, term, terms } from '#core/promises';
import { sendFrom, type Traces, tracesIn } from './address-traces.ts';
import {
  type Addresses,
  allOf,
  formsOf,
  inventAddresses,
  numbersOf,
  partOf,
  rewritten,
} from './addresses.ts';
import type { Held } from './sent.ts';

/** The text of a row as the engine gives it, and each of its values' bytes in hexadecimal. */
function isIn({ text }: Held, form: Buffer): boolean {
  return (
    text.includes(form.toString('latin1')) || text.toLowerCase().includes(form.toString('hex'))
  );
}

/** What the sentence does not allow of what goes with an address. */
function judgeTraces({ ends, parts, unkeyed }: Traces, after: string): Seen | undefined {
  if (unkeyed.size > 0)
    return broken(saw`anybody can compute ${terms([...unkeyed])} from an address`);
  if (parts.size > 0 && after !== 'truncate')
    return broken(saw`${terms([...parts])} tells a part of the address`);
  if (ends.size > 0 && after !== 'keyed-hash')
    return broken(saw`${terms([...ends])} tells one address from the next`);
  if (ends.size > 0)
    return gap(
      saw`${terms([...ends])} goes with the address; that it has a key, and that this changes, could not be seen`,
    );
  return undefined;
}

/** What is looked for: forms that nothing else has, and such as a list of numbers might have. */
type Forms = Readonly<Record<'sure' | 'alike' | 'numbers', readonly Buffer[]>>;

function formsFor(addresses: Addresses, after: string): Forms {
  const all = allOf(addresses);
  // All of 127 is this machine: a part of that is nobody's.
  const parts = [...addresses.four, ...addresses.six].map(partOf);
  return {
    sure: [...all.flatMap(formsOf), ...(after === 'truncate' ? [] : parts)],
    alike: all.flatMap(rewritten),
    numbers: all.flatMap(numbersOf),
  };
}

/** The engines' own files hold every number of eight digits. */
const ENGINES: ReadonlySet<string> = new Set(['postgresql', 'clickhouse']);

/** Looks for the forms in every file. */
async function inFiles(look: Look, { sure, alike, numbers }: Forms, marker: string) {
  const { stores } = await look.bytes([...sure, ...alike, ...numbers, Buffer.from(marker)]);
  const control = stores.filter(({ counts }) => (counts.at(-1) ?? 0) > 0);
  const sum = (counts: readonly number[]) => counts.reduce((all, one) => all + one, 0);
  const [afterSure, afterAlike] = [sure.length, sure.length + alike.length];
  const likeOnes = stores.map(({ store, counts }) =>
    sum(counts.slice(afterSure, ENGINES.has(store) ? afterAlike : -1)),
  );
  return {
    isControlFound: control.some(({ store }) => store === 'postgresql'),
    hits: sum(stores.map(({ counts }) => sum(counts.slice(0, afterSure)))),
    alike: sum(likeOnes),
    files: sum(stores.map(({ files }) => files)),
  };
}

/** What was seen, and whether a form was found that may be something else. */
type Attempt = { readonly seen: Seen; readonly isLike?: boolean };

async function attempt(look: Look, after: string): Promise<Attempt> {
  const addresses = inventAddresses();
  const people = [await look.canaries.agreeing(), await look.canaries.agreeing()];
  const { pairs, rows, wanted, status } = await sendFrom(look, people, addresses);
  if (rows.length < wanted) {
    const came = saw`${rows.length} of ${wanted} canaries came back; the answer was ${status}`;
    return { seen: gap(came) };
  }
  const forms = formsFor(addresses, after);
  const withAny = (some: readonly Buffer[]) =>
    rows.filter((row) => some.some((form) => isIn(row, form))).length;
  const [sure, like] = [withAny(forms.sure), withAny([...forms.alike, ...forms.numbers])];
  if (sure + like > 0) {
    const count = Math.max(sure, like);
    const found = saw`an address, a part or a plain digest of it, stands in ${count} rows`;
    return { seen: broken(found), isLike: sure === 0 };
  }
  const traced = judgeTraces(tracesIn(pairs), after);
  if (traced) return { seen: traced };
  const there = await inFiles(look, forms, people[0]?.marker ?? '');
  if (!there.isControlFound) {
    const unseen = saw`the control canary was not found in the files, so nothing follows from them`;
    return { seen: gap(unseen) };
  }
  if (there.hits + there.alike > 0) {
    const found = saw`${there.hits + there.alike} copies of an address lie in files of the server`;
    return { seen: broken(found), isLike: there.hits === 0 };
  }
  const instead = term(
    after === 'keyed-hash' ? 'not even a keyed hash' : 'nothing that tells two of them apart',
  );
  const count = forms.sure.length + forms.alike.length + forms.numbers.length;
  return {
    seen: kept(
      saw`${allOf(addresses).length} addresses in ${count} forms, other writings and digests among them,
 are in none of ${rows.length} rows and none of ${there.files} files, where the control was found;
 no value of two people's rows goes with their address: ${instead} is kept`,
    ),
  };
}

export const addressForgotten = defineProof({
  control: 'ingest.address-forgotten',
  strength: 'stored-bytes',
  blindTo:
    'An address as a bare number in an engine’s own files; memory; what a proxy or the hosting in front of the server writes into its own logs; and a digest with a salt of its own in each row.',
  async prove(look, { after }) {
    const first = await attempt(look, String(after));
    // Other addresses are not met by chance again.
    return first.isLike ? (await attempt(look, String(after))).seen : first.seen;
  },
});
