import {
  type Canary,
  holderOf,
  type Look,
  type StoredRow,
  typesByPerson,
  withFields,
} from '#core/looking';

/** A canary's event with one text in the sealed fields and another in the clear ones. */
export type SealedCanary = {
  readonly type: string;
  readonly table: string;
  readonly person: Canary;
  /** What must be on no disk. */
  readonly secret: string;
  readonly rows: readonly StoredRow[];
};

/** A busy machine may take longer than proofs wait for a row. */
const STORED_WITHIN_MS = 25_000;

/** Types whose events seal fields under the key of their person. */
export function sealingTypes(look: Look): string[] {
  return typesByPerson(look).filter((id) =>
    Object.values(look.policy.compiled.data[id]?.fields ?? {}).some(({ seal }) => seal !== null),
  );
}

/** Sends two events of a type; their secret is in every sealed field, the marker in the others. */
async function sendSealed(look: Look, type: string): Promise<SealedCanary | undefined> {
  const { canaries, policy } = look;
  const person = await canaries.agreeing();
  const secret = canaries.person().marker;
  const clear = canaries.event(type, person);
  const hidden = canaries.event(type, { ...person, marker: secret });
  const compiled = policy.compiled.data[type];
  const isSealed = (name: string) => (compiled?.fields[name]?.seal ?? null) !== null;
  const sealed = Object.entries(hidden[holderOf(hidden)] as object).filter(([name]) =>
    isSealed(name),
  );
  const event = withFields(clear, Object.fromEntries(sealed));
  const { messages } = await canaries.send([event, event]);
  const rows = await Promise.all(messages.map((id) => canaries.stored(type, id, STORED_WITHIN_MS)));
  const found = rows.flat();
  if (found.length < 2 || found.some((row) => row.sealed === '')) return undefined;
  return { type, table: compiled?.table ?? '', person, secret, rows: found };
}

/** One of each type, as far as they came back. */
export async function sendEach(look: Look, types: readonly string[]): Promise<SealedCanary[]> {
  const sent = await Promise.all(types.map((type) => sendSealed(look, type)));
  return sent.filter((one) => one !== undefined);
}

/** The key of a row's person as the keeper hands it out: its raw bytes. */
export async function rawKeyOf(look: Look, { subject }: StoredRow): Promise<Buffer | undefined> {
  const at = (await look.now()).getTime();
  const [opened] = await look.keeper.call('open', { tenant: look.tenant, subjects: [subject], at });
  return typeof opened === 'object' ? Buffer.from(opened.key, 'base64') : undefined;
}
