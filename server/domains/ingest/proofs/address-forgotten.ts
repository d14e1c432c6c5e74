import { createHash, randomInt, randomUUID } from 'node:crypto';
import { type Fields, type Look, withFields } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term } from '#core/promises';
import { ownAddress, postFrom } from './from-address.ts';
import { type Held, held } from './sent.ts';

type Addresses = { readonly four: string; readonly six: string; readonly own: string };

/** Addresses of a German and an American network, so that they can be placed, with a random end. */
function inventAddresses(): Addresses {
  const group = () => randomInt(0x1000, 0xffff).toString(16);
  return {
    four: `141.20.${randomInt(10, 250)}.${randomInt(100, 250)}`,
    six: `2001:4860:4860:${group()}:${group()}:${group()}:${group()}:${group()}`,
    own: ownAddress(),
  };
}

const binaryOf = (six: string) =>
  Buffer.from(
    six
      .split(':')
      .map((group) => group.padStart(4, '0'))
      .join(''),
    'hex',
  );

/** What is often taken for forgetting: a digest without a key, which anybody can compute. */
function digestsOf(address: string): Buffer[] {
  return ['md5', 'sha1', 'sha256'].flatMap((name) => {
    const digest = createHash(name).update(address).digest();
    return [digest, Buffer.from(digest.toString('hex')), Buffer.from(digest.toString('base64'))];
  });
}

function formsOf({ four, six, own }: Addresses): Buffer[] {
  const texts = [four, six, six.toUpperCase(), own, `::ffff:${four}`].map((text) =>
    Buffer.from(text),
  );
  return [...texts, binaryOf(six), ...digestsOf(four), ...digestsOf(six), ...digestsOf(own)];
}

/** The text of a row as the engine gives it, and each of its values' bytes in hexadecimal. */
function isIn({ text }: Held, form: Buffer): boolean {
  return (
    text.includes(form.toString('latin1')) || text.toLowerCase().includes(form.toString('hex'))
  );
}

async function sendFrom(look: Look, { four, six, own }: Addresses) {
  const { canaries } = look;
  const person = await canaries.agreeing();
  const types = canaries.eventTypes;
  const batch = types.map((type, at): Fields & { messageId: string } => {
    const event = canaries.event(type, person);
    const context = { ...(event['context'] as object), ip: at % 2 === 0 ? six : four };
    const more = withFields(event, { ip: four, ip_address: six, client: { ip: six } });
    return { ...more, context, ip: four, messageId: randomUUID() };
  });
  for (const { messageId } of batch) await canaries.note(messageId);
  const path = `/v1/t/${look.tenant}/batch`;
  const status = await postFrom(look, { from: own, path, key: look.writeKey, body: { batch } });
  const rows: Held[] = [];
  for (const [at, { messageId }] of batch.entries()) {
    const row = await held(look, types[at] ?? '', messageId, at === 0 ? 15_000 : 4_000);
    if (row) rows.push(row);
  }
  return { status, rows, marker: person.marker, wanted: types.length };
}

export const addressForgotten = defineProof({
  control: 'ingest.address-forgotten',
  strength: 'stored-bytes',
  blindTo:
    'Memory, and what a proxy or the hosting in front of the server writes into its own logs.',
  async prove(look, { after }) {
    const addresses = inventAddresses();
    const { status, rows, marker, wanted } = await sendFrom(look, addresses);
    if (rows.length < wanted) {
      return gap(saw`${rows.length} of ${wanted} canaries came back; the answer was ${status}`);
    }
    const forms = formsOf(addresses);
    const inRows = rows.filter((row) => forms.some((form) => isIn(row, form))).length;
    if (inRows > 0)
      return broken(saw`an address, or a plain digest of it, stands in ${inRows} rows`);
    const { stores } = await look.bytes([...forms, Buffer.from(marker)]);
    const control = stores
      .filter(({ counts }) => (counts.at(-1) ?? 0) > 0)
      .map(({ store }) => store);
    if (!control.includes('postgresql')) {
      return gap(saw`the control canary was not found in the files, so nothing follows from them`);
    }
    const hits = stores
      .flatMap(({ counts }) => counts.slice(0, -1))
      .reduce((sum, one) => sum + one, 0);
    if (hits > 0) return broken(saw`${hits} copies of an address lie in files of the server`);
    const files = stores.reduce((sum, one) => sum + one.files, 0);
    const instead = term(
      after === 'keyed-hash' ? 'not even a keyed hash' : 'not even a part of it',
    );
    return kept(
      saw`3 addresses in ${forms.length} forms, digests among them, are in none of ${rows.length} rows
 and none of ${files} files, where the control was found; ${instead} is kept`,
    );
  },
});
