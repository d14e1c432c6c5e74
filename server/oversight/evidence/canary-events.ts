import type { CompiledField, Policy } from '@troth/policy-language';
import type { Canary } from '#core/looking';

/** A value that fits a declared field; texts carry the canary's marker. */
export function valueFor(field: CompiledField, { marker }: Canary): unknown {
  const { name, type, choices, max } = field;
  const cut = (text: string) => (max === null ? text : text.slice(0, max));
  switch (type) {
    case 'enum':
      return choices?.[0] ?? '';
    case 'number':
    case 'integer':
      return 7;
    case 'boolean':
      return true;
    case 'timestamp':
      return '2026-01-02T03:04:05.000Z';
    case 'date':
      return '2026-01-02';
    case 'month':
      return '2026-01';
    case 'country':
      return 'DE';
    case 'url-path':
      return cut(`/${marker}`);
    case 'json':
      return { note: marker };
    case 'string':
      // What is called an origin is held to one.
      return name.endsWith('origin') ? `https://${marker}.example` : cut(marker);
  }
}

/** The kind and name under which an event lands in a type: `type:page` is a kind, `*` any name. */
function formOf(names: readonly string[], wanted: string | undefined): Record<string, string> {
  const [first = '*'] = wanted === undefined ? names : [wanted];
  if (first.startsWith('type:')) {
    const kind = first.slice('type:'.length);
    return { type: kind, ...(kind === 'group' ? { groupId: 'canaries' } : {}) };
  }
  return { type: 'track', event: first === '*' ? 'Something Seen' : first };
}

/**
 * An event of a declared type, with a value in every declared field.
 *
 * @param more.event  the event's name, where one type takes several.
 */
export function eventFor(
  policy: Policy,
  dataType: string,
  { person, event, known }: { person: Canary; event?: string | undefined; known: boolean },
): Record<string, unknown> {
  const declared = policy.data[dataType];
  const compiled = policy.compiled.data[dataType];
  if (!declared || !compiled) throw new RangeError('the policy declares no such type');
  const form = formOf(declared['event-names'] ?? [], event);
  const values = Object.fromEntries(
    Object.values(compiled.fields).map((field) => [field.name, valueFor(field, person)]),
  );
  const takesTraits = form['type'] === 'identify' || form['type'] === 'group';
  // Where the policy's default is a stricter mode, whoever names somebody has to ask for theirs.
  const mode = takesTraits ? 'identified' : 'pseudonymous';
  const asks = known && declaresMode(policy, mode);
  return {
    ...form,
    anonymousId: person.anonymousId,
    ...(known ? { userId: person.userId } : {}),
    ...(asks ? { context: { mode } } : {}),
    ...(form['type'] === 'alias' ? { previousId: person.anonymousId } : {}),
    [takesTraits ? 'traits' : 'properties']: values,
  };
}

const declaresMode = ({ identify }: Policy, mode: string): boolean =>
  identify?.default !== undefined && (identify.modes as readonly string[]).includes(mode);

/** The types whose rows come from events. */
export const eventTypesOf = (policy: Policy): string[] =>
  Object.entries(policy.data)
    .filter(([, { from }]) => from === 'events')
    .map(([id]) => id);
