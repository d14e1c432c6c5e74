import { type Canary, type Look, type Moment, momentOf, readAt } from '#core/looking';
import { gatesOf, namesPeople } from './gates.ts';
import { decide, send } from './people.ts';

export type Readings = {
  /** Whether the row came back after each word that its person said, in their order. */
  readonly words: readonly boolean[];
  /** Whether that of somebody who said nothing did; false where it was not even stored. */
  readonly silent: boolean;
};

/** Stores an event of somebody after a word about purposes. @throws Error when it is not stored. */
async function store(
  look: Look,
  type: string,
  { person, word }: { person: Canary; word: Readonly<Record<string, boolean>> },
): Promise<Moment> {
  await decide(look, person, word);
  const message = await send(look, { type, person });
  const [row] = await look.canaries.stored(type, message);
  if (!row) throw new Error('the canary did not arrive');
  return momentOf(look, type, String(row['message']));
}

/** Whether a reading for the purpose shows a row. @throws Error when it is refused. */
async function isShown(look: Look, purpose: string, moment: Moment): Promise<boolean> {
  const { status, row } = await readAt(look, moment, purpose);
  if (status !== 200) throw new Error('a reading was refused');
  return row !== undefined;
}

/** A type that is read for the purpose among others, whose rows name their person. */
export const typeRead = (look: Look, purpose: string) =>
  look.canaries.eventTypes.find((id) => {
    const declared = look.policy.data[id];
    const isOurs = declared?.key === 'subject' && declared.purposes.includes(purpose);
    return isOurs && !namesPeople(look, id);
  });

/**
 * Reads for a purpose while somebody agrees to it, refuses it, and so on.
 *
 * @returns `undefined` where nothing that names its person is read for it.
 * @throws Error when the event was not stored, or a reading was refused.
 */
export async function readings(
  look: Look,
  purpose: string,
  words: readonly boolean[],
): Promise<Readings | undefined> {
  const type = typeRead(look, purpose);
  if (type === undefined) return undefined;
  const gates = gatesOf(look.policy, type).filter((gate) => gate !== purpose);
  const open = Object.fromEntries(gates.map((gate) => [gate, true]));
  const person = look.canaries.person();
  const own = await store(look, type, { person, word: { ...open, [purpose]: true } });
  const shown: boolean[] = [];
  for (const word of words) {
    await decide(look, person, { [purpose]: word });
    shown.push(await isShown(look, purpose, own));
  }
  const isGate = gatesOf(look.policy, type).includes(purpose);
  if (isGate) return { words: shown, silent: false };
  const quiet = await store(look, type, { person: look.canaries.person(), word: open });
  return { words: shown, silent: await isShown(look, purpose, quiet) };
}
