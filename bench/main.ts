/** `npm run bench [ingest|start|lint|keeper] [seconds]`: prints each figure beside its limit. */
import { benchIngest } from './ingest.ts';
import { benchStart } from './start.ts';

const [name = 'all', seconds = '15'] = process.argv.slice(2);
const BENCHES: Record<string, () => Promise<void>> = {
  ingest: () => benchIngest(Number(seconds)),
  start: () => benchStart(),
};

for (const [known, bench] of Object.entries(BENCHES)) {
  if (name !== 'all' && name !== known) continue;
  process.stdout.write(`\n# ${known}\n`);
  await bench();
}
process.exit(0);
