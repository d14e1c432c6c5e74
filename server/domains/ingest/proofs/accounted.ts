import { randomUUID } from 'node:crypto';
import { type Fields, withFields } from '#core/looking';
import { broken, defineProof, gap, kept, saw } from '#core/promises';
import { sendAll } from './sent.ts';

const GOOD = 24;
const WRONG = 5;
const TWICE = 6;

const countOf = (value: unknown) => (typeof value === 'number' ? value : 0);

export const accounted = defineProof({
  control: 'ingest.accounted',
  strength: 'stored-bytes',
  blindTo: 'Requests of others: one batch is counted through, event by event.',
  async prove(look) {
    const { canaries } = look;
    const type = canaries.eventTypes.find((id) => look.policy.data[id]?.key === 'period');
    if (type === undefined) return gap(saw`the policy has no type for this`);
    const person = canaries.person();
    const plain = canaries.event(type, person);
    const good = Array.from(
      { length: GOOD },
      (): Fields => ({ ...plain, messageId: randomUUID() }),
    );
    const twice = good.slice(0, TWICE).map((event) => ({ ...event }));
    const number = Object.values(look.policy.compiled.data[type]?.fields ?? {}).find(
      (field) => field.type === 'number',
    );
    if (!number) return gap(saw`no field of the type can be sent wrong`);
    const wrong = Array.from({ length: WRONG }, () =>
      withFields(plain, { [number.name]: 'not a number' }),
    );
    const told = await sendAll(look, [...good, ...wrong, ...twice]);
    const { status, body = {} as Fields } = told[0] ?? { status: 0 };
    if (status !== 200 && status !== 207) return gap(saw`the server answered ${status}`);
    const accepted = countOf(body['accepted']);
    const dropped = Object.values((body['dropped'] ?? {}) as Fields).reduce<number>(
      (sum, count) => sum + countOf(count),
      0,
    );
    const refused = Array.isArray(body['refused']) ? body['refused'].length : 0;
    const sent = good.length + wrong.length + twice.length;
    if (accepted + dropped + refused !== sent) {
      return broken(
        saw`of ${sent} events the answer accounts for ${accepted + dropped + refused} only`,
      );
    }
    if (refused !== WRONG) return broken(saw`${refused} of ${WRONG} wrong events were refused`);
    let rows = 0;
    for (const [at, { message }] of told.slice(0, GOOD).entries()) {
      rows += (await canaries.stored(type, message, at === 0 ? 15_000 : 2_500)).length;
    }
    const unique = accepted - TWICE;
    if (rows !== unique) return broken(saw`${unique} events were accepted, and ${rows} are stored`);
    let strays = 0;
    for (const { message } of told.slice(GOOD, GOOD + WRONG)) {
      strays += (await canaries.stored(type, message, 0)).length;
    }
    if (strays > 0) return broken(saw`${strays} refused events are stored`);
    return kept(
      saw`${sent} sent = ${rows} stored + ${TWICE} repeats of them + ${refused} refused with a
 reason`,
    );
  },
});
