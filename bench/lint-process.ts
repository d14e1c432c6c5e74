/** Lints one document in a fresh process, twice, and prints the milliseconds as one JSON line. */
import { readFileSync } from 'node:fs';

const [, , document = '', prose = ''] = process.argv;
const [text, quoted] = [readFileSync(document, 'utf8'), readFileSync(prose, 'utf8')];
const began = performance.now();
const { lint, readPolicy } = await import('@troth/policy-language');
const imported = performance.now();
function lintOnce(): void {
  const { policy } = readPolicy(text, { file: 'generated.yaml' });
  if (!policy) throw new Error('the generated document is no policy');
  lint(policy, quoted);
}
lintOnce();
const first = performance.now();
for (let turn = 0; turn < 5; turn += 1) lintOnce();
const warm = (performance.now() - first) / 5;
process.stdout.write(
  `${JSON.stringify({ load: imported - began, first: first - imported, warm })}\n`,
);
