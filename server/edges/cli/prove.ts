/** `troth prove`: runs the proofs of the running server and shows each finding as it is made. */
import { streamServer } from './running-server.ts';
import { type Command, type Invocation, paint, table, Usage } from './terminal.ts';

type Finding = {
  tenant: string;
  promises: string[];
  state: 'kept' | 'broken' | 'gap';
  saw: string;
  control: string;
  strength: string;
  tookMs: number;
};

const MARKS = { kept: '●', broken: '▲', gap: '○' } as const;
const COLOURS = { kept: 'green', broken: 'red', gap: 'amber' } as const;

function line(invocation: Invocation, { tenant, promises, state, saw }: Finding): string {
  const mark = paint(invocation, COLOURS[state], `${MARKS[state]} ${state.padEnd(6)}`);
  const [first = '', ...rest] = promises;
  const more = rest.length > 0 ? ` +${rest.length}` : '';
  return `${mark} ${tenant.padEnd(11)} ${`${first}${more}`.padEnd(11)} ${saw}`;
}

function summary(findings: readonly Finding[]): string {
  const tenants = [...new Set(findings.map(({ tenant }) => tenant))].sort();
  const count = (of: readonly Finding[], state: Finding['state']) =>
    String(of.filter((one) => one.state === state).flatMap(({ promises }) => promises).length);
  const row = (name: string, of: readonly Finding[]) => [
    name,
    ...(['kept', 'broken', 'gap'] as const).map((state) => count(of, state)),
  ];
  const rows = tenants.map((tenant) =>
    row(
      tenant,
      findings.filter((one) => one.tenant === tenant),
    ),
  );
  const all = rows.length > 1 ? [row('all', findings)] : [];
  return table([['service', 'kept', 'broken', 'gap'], ...rows, ...all]);
}

export const proveCommand: Command = {
  takes: '[--tenant T] [--promise ID]',
  does: 'look at the stored bytes now, and say what was found',
  async run(invocation) {
    const { tenant, promise } = invocation.options;
    if (invocation.names.length > 0) throw new Usage('name a service with --tenant');
    const wanted = { ...(tenant && { tenant }), ...(promise && { promise }) };
    const findings: Finding[] = [];
    await streamServer(invocation.dataDir, '/v1/operator/prove', wanted, (finding) => {
      findings.push(finding as Finding);
      invocation.progress(line(invocation, finding as Finding));
    });
    const none = findings.length === 0;
    const blind = findings.every(({ state }) => state === 'gap');
    const summed = `\n${summary(findings)}${blind ? '\n\nnothing could be looked at' : ''}`;
    return {
      json: { findings },
      text: none ? 'nothing was looked at: no proof of this version looks at that' : summed,
      no: blind || findings.some(({ state }) => state === 'broken'),
    };
  },
};
