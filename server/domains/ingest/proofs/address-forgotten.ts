import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, term, terms } from '#core/promises';
import { sendFrom, type Traces, tracesIn } from './address-traces.ts';
import { allOf, formsOf, inventAddresses, partOf } from './addresses.ts';
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

/** Looks for the forms in every file. */
async function inFiles(look: Look, forms: readonly Buffer[], marker: string) {
  const { stores } = await look.bytes([...forms, Buffer.from(marker)]);
  const control = stores.filter(({ counts }) => (counts.at(-1) ?? 0) > 0);
  return {
    isControlFound: control.some(({ store }) => store === 'postgresql'),
    hits: stores.flatMap(({ counts }) => counts.slice(0, -1)).reduce((sum, one) => sum + one, 0),
    files: stores.reduce((sum, one) => sum + one.files, 0),
  };
}

export const addressForgotten = defineProof({
  control: 'ingest.address-forgotten',
  strength: 'stored-bytes',
  blindTo:
    'Memory; what a proxy or the hosting in front of the server writes into its own logs; and a digest with a salt of its own in each row.',
  async prove(look, binding) {
    const after = String(binding['after']);
    const addresses = inventAddresses();
    const people = [await look.canaries.agreeing(), await look.canaries.agreeing()];
    const { pairs, rows, wanted, status } = await sendFrom(look, people, addresses);
    if (rows.length < wanted) {
      return gap(saw`${rows.length} of ${wanted} canaries came back; the answer was ${status}`);
    }
    const all = allOf(addresses);
    const whole = all.flatMap(formsOf);
    // All of 127 is this machine: a part of that is nobody's.
    const parts = [...addresses.four, ...addresses.six].map(partOf);
    const forms = after === 'truncate' ? whole : [...whole, ...parts];
    const inRows = rows.filter((row) => forms.some((form) => isIn(row, form))).length;
    if (inRows > 0)
      return broken(saw`an address, a part or a plain digest of it, stands in ${inRows} rows`);
    const traced = judgeTraces(tracesIn(pairs), after);
    if (traced) return traced;
    const { isControlFound, hits, files } = await inFiles(look, forms, people[0]?.marker ?? '');
    if (!isControlFound) {
      return gap(saw`the control canary was not found in the files, so nothing follows from them`);
    }
    if (hits > 0) return broken(saw`${hits} copies of an address lie in files of the server`);
    const instead = term(
      after === 'keyed-hash' ? 'not even a keyed hash' : 'nothing that tells two of them apart',
    );
    return kept(
      saw`${all.length} addresses in ${forms.length} forms, digests among them, are in none of ${rows.length} rows
 and none of ${files} files, where the control was found; no value of two people's rows goes with
 their address: ${instead} is kept`,
    );
  },
});
