/** One promise, followed from its sentence to what makes it true. */
import { controlCatalogue } from '#controls';
import type { ControlCatalogue, Probe } from './control-type.ts';
import { listOf } from './one-or-more.ts';
import { type Policy, valueAt } from './policy.ts';

export type Explanation = {
  readonly id: string;
  readonly says: string;
  readonly line: number | string;
  readonly means: string | null;
  readonly control: {
    readonly name: string;
    readonly area: string;
    readonly title: string;
    readonly probe: Probe;
    readonly with: Readonly<Record<string, unknown>>;
  } | null;
  /** The values of the document that the sentence depends on, as they are now. */
  readonly values: readonly { readonly path: string; readonly value: unknown }[];
  readonly attest: { readonly owner: string; readonly renew: string; readonly what: string } | null;
  readonly decisions: readonly { finding: string; decision: string; because: string; on: string }[];
  /** The same for a terminal. */
  readonly lines: readonly string[];
};

/** Explains a promise; undefined when the policy has none of that id. */
export function explainPromise(policy: Policy, id: string): Explanation | undefined {
  const row = policy.promises.find((promise) => promise.id === id);
  if (!row) return undefined;
  const explained = {
    id,
    says: row.says,
    line: row.line,
    means: row.means ?? null,
    control: controlOf(row.control, row.with ?? {}),
    values: pathsOf(policy, row).map((path) => ({ path, value: valueAt(policy, path) })),
    attest: row.attest ?? null,
    decisions: (policy.resolves ?? [])
      .filter(({ promises }) => promises?.includes(id))
      .map(({ finding, decision, because, on }) => ({ finding, decision, because, on })),
  };
  return { ...explained, lines: linesOf(explained) };
}

function controlOf(name: string | undefined, given: Readonly<Record<string, unknown>>) {
  const catalogue: ControlCatalogue = controlCatalogue;
  const entry = name !== undefined && Object.hasOwn(catalogue, name) ? catalogue[name] : undefined;
  if (name === undefined || !entry) return null;
  return { name, area: entry.area, title: entry.title, probe: entry.probe, with: given };
}

/** Which section each kind of parameter names a key of. */
const SECTIONS: Readonly<Record<string, string>> = {
  data: 'data',
  cookie: 'cookies',
  clock: 'incidents.clocks',
  contact: 'controller.contacts',
  right: 'rights',
  rights: 'rights',
  recipient: 'recipients',
  purpose: 'purposes',
  purposes: 'purposes',
  role: 'roles',
};

function pathsOf(policy: Policy, row: Policy['promises'][number]): string[] {
  const paths = [...listOf(row.config)];
  for (const [key, value] of Object.entries(row.with ?? {})) {
    for (const name of listOf(value)) {
      if (typeof name !== 'string') continue;
      if (key === 'setting') paths.push(name);
      else if (key === 'data') paths.push(`data.${name}.retain`);
      else if (SECTIONS[key]) paths.push(`${SECTIONS[key]}.${name}`);
    }
  }
  return [...new Set(paths)].filter((path) => valueAt(policy, path) !== undefined);
}

function linesOf(explained: Omit<Explanation, 'lines'>): string[] {
  const { id, says, line, means, control, values, attest, decisions } = explained;
  return [
    `${id} (line ${line}): "${says}"`,
    ...(means === null ? [] : [`means     ${means}`]),
    ...(control ? [`control   ${control.name}: ${control.title}`] : []),
    ...(control ? [`proven by ${control.probe}`] : []),
    ...values.map(({ path, value }) => `value     ${path} = ${JSON.stringify(value)}`),
    ...(attest ? [`attested  by ${attest.owner}, renewed ${attest.renew}: ${attest.what}`] : []),
    ...decisions.map(({ finding, decision, on }) => `decided   ${finding} on ${on}: ${decision}`),
  ];
}
