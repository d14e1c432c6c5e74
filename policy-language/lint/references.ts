/** Names that point inside the document must point at something. */

import type { Policy } from '#language/policy';
import { nearest, type Path } from '#reading';
import type { Raised, Rule } from './rule.ts';

/** Where a name is declared: the section, and the names in it. */
export type Declared = { readonly section: string; readonly names: ReadonlySet<string> };

export function declaredIn(policy: Policy): Readonly<Record<string, Declared>> {
  const section = (name: string, record: object | undefined): Declared => ({
    section: name,
    names: new Set(Object.keys(record ?? {})),
  });
  const purposes = section('purposes', policy.purposes);
  const rights = section('rights', policy.rights);
  return {
    data: section('data', policy.data),
    purpose: purposes,
    purposes,
    recipient: section('recipients', policy.recipients),
    role: section('roles', policy.roles),
    cookie: section('cookies', policy.cookies),
    location: section('locations', policy.locations),
    clock: section('incidents.clocks', policy.incidents?.clocks),
    contact: section('controller.contacts', policy.controller.contacts),
    meter: { section: 'prices', names: new Set(policy.prices?.map(({ meter }) => meter)) },
    right: rights,
    rights,
  };
}

/** A finding when the name is not declared. */
export function* unknownName(name: string, declared: Declared, path: Path): Generator<Raised> {
  if (declared.names.has(name)) return;
  const near = nearest(name, [...declared.names]);
  yield {
    code: 'reference/unknown',
    message: `"${name}" is not declared under ${declared.section}.${near ? ` Did you mean "${near}"?` : ''}`,
    path,
    expected: `a key of ${declared.section}`,
    example: near ?? [...declared.names][0] ?? `${declared.section}: { ${name}: … }`,
  };
}

export const namesAreDeclared: Rule = function* ({ policy }) {
  const declared = declaredIn(policy) as Record<'data' | 'purpose' | 'role', Declared>;
  for (const [name, path] of purposeReferences(policy)) {
    yield* unknownName(name, declared.purpose, path);
  }
  for (const [id, { data }] of Object.entries(policy.recipients ?? {})) {
    for (const name of data ?? []) {
      yield* unknownName(name, declared.data, ['recipients', id, 'data']);
    }
  }
  for (const name of policy.security?.['second-factor']?.roles ?? []) {
    yield* unknownName(name, declared.role, ['security', 'second-factor', 'roles']);
  }
  const stored = policy.ingest?.address?.['store-in'];
  if (stored !== undefined) {
    yield* unknownName(stored, declared.data, ['ingest', 'address', 'store-in']);
  }
};

function* purposeReferences(policy: Policy): Generator<[string, Path]> {
  for (const [id, type] of Object.entries(policy.data)) {
    for (const name of type.purposes) yield [name, ['data', id, 'purposes']];
    const gate = type['consent-purpose'];
    if (gate !== undefined) yield [gate, ['data', id, 'consent-purpose']];
  }
  for (const [id, { purpose }] of Object.entries(policy.cookies ?? {})) {
    yield [purpose, ['cookies', id, 'purpose']];
  }
  for (const [id, { purpose }] of Object.entries(policy.recipients ?? {})) {
    if (purpose !== undefined) yield [purpose, ['recipients', id, 'purpose']];
  }
  for (const [id, signal] of Object.entries(policy.consent?.signals ?? {})) {
    for (const name of signal?.withdraws ?? [])
      yield [name, ['consent', 'signals', id, 'withdraws']];
  }
  for (const [id, enrichment] of Object.entries(policy.ingest?.enrich ?? {})) {
    if (enrichment?.purpose) yield [enrichment.purpose, ['ingest', 'enrich', id, 'purpose']];
  }
  const consent = policy.identify?.consent;
  if (consent !== undefined) yield [consent, ['identify', 'consent']];
}
