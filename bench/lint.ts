/** `troth lint` of a policy of 10,000 lines: the whole command, and its parts in a fresh process. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { longPolicy } from './generated-policies.ts';
import { figure } from './rig.ts';

const LINES = 10_000;
const TIMES = 7;

/** Has a process say at its end how long its main thread worked, whoever else worked beside it. */
const TELLING = `data:text/javascript,process.on('exit', () => {
  const { user, system } = process.threadCpuUsage();
  process.stderr.write(String((user + system) / 1000));
});`;

/** Exit 1 is an answer too: the copies have findings that nobody has decided about. */
function run(args: readonly string[]): { stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', ...args], {
    cwd: join(import.meta.dirname, '..'),
    encoding: 'utf8',
  });
  if (status !== 0 && status !== 1) throw new Error(stderr);
  return { stdout, stderr };
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function medianOf(read: () => number): number {
  return median(Array.from({ length: TIMES }, read));
}

function milliseconds(args: readonly string[]): number {
  const began = performance.now();
  run(args);
  return performance.now() - began;
}

export async function benchLint(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'troth-bench-lint-'));
  try {
    const { document, prose } = longPolicy(LINES);
    const files = [join(folder, 'loopkit.yaml'), join(folder, 'loopkit.md')] as const;
    writeFileSync(files[0], document);
    writeFileSync(files[1], prose);
    const bare = { name: 'bare Node', value: medianOf(() => milliseconds(['-e', '0'])) };
    figure({
      name: `troth lint, ${LINES.toLocaleString('en')} lines, the whole command`,
      value: medianOf(() => milliseconds(['server/main.ts', 'lint', files[0]])),
      unit: 'ms',
      beside: bare,
      aim: { value: 300, atMost: true },
    });
    figure({
      name: '  the time of its main thread',
      value: medianOf(() =>
        Number(run(['--import', TELLING, 'server/main.ts', 'lint', files[0]]).stderr),
      ),
      unit: 'ms',
    });
    const parts = Array.from({ length: TIMES }, () => {
      const { stdout } = run(['bench/lint-process.ts', ...files]);
      return JSON.parse(stdout) as { load: number; first: number; warm: number };
    });
    for (const [name, part] of [
      ['  loading the language', 'load'],
      ['  reading and linting, first in a process', 'first'],
      ['  reading and linting, warm', 'warm'],
    ] as const) {
      figure({ name, value: median(parts.map((one) => one[part])), unit: 'ms' });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
