import { asClient, type Canary, type Look } from '#core/looking';
import { freeTypes } from './gates.ts';

/** A country without rules of its own, as far as the bundled map of addresses knows. */
const ELSEWHERE = '8.8.8.8';
/** How long a table may be filled after another that was sent to before it. */
const LATER_MS = 10_000;

/** What an ordinary browser says of itself. */
export const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' };

export type Standing = { granted: boolean; required: boolean; because: string };

/** Both names that events of a canary carry. */
const handles = ({ userId, anonymousId }: Canary) => [{ userId }, { anonymousId }];

/** Decides about purposes, as a page of preferences does. @throws Error when it is not taken. */
export async function decide(
  look: Look,
  person: Canary,
  preferences: Readonly<Record<string, boolean>>,
): Promise<void> {
  for (const handle of handles(person)) {
    const ask = { method: 'PUT', body: { handle, preferences } };
    const told = await asClient(look, '/consents/preferences', ask);
    if (told.status !== 200) throw new Error('a decision was not taken');
  }
}

/** Takes everything back with one call for each name. */
export async function withdrawAll(look: Look, person: Canary): Promise<void> {
  for (const handle of handles(person)) {
    const told = await asClient(look, '/consents/withdraw', { body: { handle } });
    if (told.status !== 200) throw new Error('a withdrawal was not taken');
  }
}

/** How every purpose stands for somebody of no particular region. @param headers  of a browser that gives a signal. */
export async function standings(
  look: Look,
  { userId }: Canary,
  headers: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, Standing>>> {
  const told = await asClient(look, '/consents/status', {
    headers,
    body: { handle: { userId }, context: { ip: ELSEWHERE } },
  });
  const { purposes } = (told.json ?? {}) as { purposes?: Record<string, Standing> };
  if (told.status !== 200 || !purposes) throw new Error('the standings were not told');
  return purposes;
}

export type Sending = {
  readonly type: string;
  readonly person: Canary;
  readonly headers?: Readonly<Record<string, string>>;
  readonly context?: object;
  /** How long ago it happened, as the client says. */
  readonly agoMs?: number;
};

/** Sends one event as somebody of no particular region; its message, whatever became of it. */
export async function send(look: Look, sending: Sending): Promise<string> {
  const { type, person, headers = {}, context = {}, agoMs } = sending;
  const event = look.canaries.event(type, person);
  const told = { ip: ELSEWHERE, ...(event['context'] as object), ...context };
  const then = agoMs === undefined ? {} : { timestamp: new Date(Date.now() - agoMs).toISOString() };
  const sent = [{ ...event, ...then, context: told }];
  const { messages, status } = await look.canaries.send(sent, { headers });
  // Refused for want of consent is an answer; anything else is none.
  if (status !== 200 && status !== 207 && status !== 422) throw new Error('it was not answered');
  return messages[0] ?? '';
}

/**
 * Which of these messages are stored. Tables are filled one after the other, so an event of
 * somebody who agreed to everything is sent after them into each table: once it is there, whatever
 * was to come before it has come. Where it does not come, the time for it is waited out.
 *
 * @throws Error when not even an event that nobody has to agree to arrives.
 */
export async function arrived(
  look: Look,
  messages: readonly { readonly type: string; readonly message: string }[],
): Promise<boolean[]> {
  const [free] = freeTypes(look);
  if (free === undefined) throw new Error('no type is there to look by');
  const person = await look.canaries.agreeing();
  const controls: { type: string; message: string }[] = [];
  for (const type of new Set([...messages.map(({ type }) => type), free])) {
    controls.push({ type, message: await send(look, { type, person }) });
  }
  const control = controls.find(({ type }) => type === free)?.message ?? '';
  const [row] = await look.canaries.stored(free, control);
  if (!row) throw new Error('the control did not arrive');
  const late = controls.map(({ type, message }) => look.canaries.stored(type, message, LATER_MS));
  await Promise.all(late);
  const found = messages.map(({ type, message }) => look.canaries.stored(type, message, 0));
  return (await Promise.all(found)).map((rows) => rows.length > 0);
}

/** Sends each and says which were stored. */
export async function arrivals(look: Look, sendings: readonly Sending[]): Promise<boolean[]> {
  const messages: { type: string; message: string }[] = [];
  for (const sending of sendings) {
    messages.push({ type: sending.type, message: await send(look, sending) });
  }
  return arrived(look, messages);
}
