/** Policies that are made, not written: one very long one, and many that are in force at once. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const count = (length: number) => Array.from({ length }, (_, index) => index);

const headOf = (service: string) => [
  'troth: 1',
  `service: ${service}`,
  'title: Generated',
  'version: 1.0.0',
  'effective: 2026-01-01',
  'languages: [en]',
  'silent-lines: "1"',
  'controller: { name: Generated, contacts: { privacy: { email: privacy@generated.test } } }',
  'purposes:',
  '  security-monitoring: { use: essential.service.security, basis: legitimate-interests }',
  'rights: { erasure: { within: P30D } }',
  'changes: { material-notice: P30D }',
];

const typeOf = (n: number) => [
  `  records-${n}:`,
  `    title: Records of kind ${n}`,
  '    from: events',
  `    event-names: [record_${n}]`,
  '    categories: [user.telemetry]',
  '    purposes: [security-monitoring]',
  '    retain: P90D',
  '    key: subject',
  '    fields:',
  '      tool: string(64)',
  '      outcome: { enum: [done, refused, failed] }',
  '      arguments: { type: json, seal: subject, category: user.content }',
];

const promiseOf = (n: number, types: number) => [
  `  - id: GE-${n + 10}`,
  '    says: "90 days"',
  `    line: ${n + 2}`,
  '    control: retention.limit',
  `    with: { data: records-${n % types} }`,
];

const moved = (numbers: string, by: number) =>
  numbers.replaceAll(/\d+/g, (number) => String(Number(number) + by));

/**
 * A document of at least `lines` lines: LoopKit's, with its data and its promises many times over,
 * and its prose as often, so that each copy quotes a page of its own.
 */
export function longPolicy(lines: number): { document: string; prose: string } {
  const folder = join(import.meta.dirname, '..', 'policies');
  const written = readFileSync(join(folder, 'loopkit.yaml'), 'utf8').split('\n');
  const prose = readFileSync(join(folder, 'loopkit.md'), 'utf8');
  const pageLines = prose.trimEnd().split('\n').length;
  const from = (key: string) => written.indexOf(`${key}:`) + 1;
  const data = written.slice(from('data'), from('cookies') - 1);
  const promises = written.slice(from('promises'), from('resolves') - 1);
  const copies = Math.ceil((lines - written.length) / (data.length + promises.length));
  const copy = (turn: number, part: readonly string[]) =>
    part.map((line, n) =>
      line
        .replace(/event-names: .*/, `event-names: [copy_${turn}_${n}]`)
        .replace(/^ {2}([a-z-]+):/, `  $1-${turn}:`)
        .replace(/\bid: LK-(\d+)/, (_, id) => `id: LK-${turn * 300 + Number(id)}`)
        .replace(/\bline: ("?[\d-]+"?)/, (_, at) => `line: ${moved(at, turn * pageLines)}`),
    );
  const all = (part: readonly string[]) => [
    ...part,
    ...count(copies).flatMap((turn) => copy(turn + 1, part)),
  ];
  const document = [
    ...written.slice(0, from('data')).map((line) => {
      const silent = /^silent-lines: "(.*)"$/.exec(line)?.[1];
      if (silent === undefined) return line;
      return `silent-lines: "${count(copies + 1)
        .map((turn) => moved(silent, turn * pageLines))
        .join(', ')}"`;
    }),
    ...all(data),
    ...written.slice(from('cookies') - 1, from('promises')),
    ...all(promises),
    ...written.slice(from('resolves') - 1),
  ];
  const page = `${prose.trimEnd()}\n`;
  return { document: document.join('\n'), prose: page.repeat(copies + 1) };
}

/** Writes a policy for each of `tenants` services, each with so many types of events. */
export function writeManyPolicies(
  folder: string,
  { tenants, types }: { tenants: readonly string[]; types: number },
): string {
  const limits = 'ingest: { limits: { events-per-second: 10000000, batch: 500 } }';
  for (const tenant of tenants) {
    const lines = [
      ...headOf(tenant),
      limits,
      'data:',
      ...count(types).flatMap(typeOf),
      'promises:',
    ];
    const prose = ['Generated', 'Records of kind 0: 90 days.'];
    writeFileSync(
      join(folder, `${tenant}.yaml`),
      `${[...lines, ...promiseOf(0, types), `prose: ${tenant}.md`].join('\n')}\n`,
    );
    writeFileSync(join(folder, `${tenant}.md`), `${prose.join('\n')}\n`);
  }
  return folder;
}
