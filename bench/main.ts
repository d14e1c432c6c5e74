/**
 * `npm run bench [NAME] [SECONDS] [--rows N]`: prints each figure beside its limit; without a name,
 * all.
 */
import { parseArgs } from 'node:util';
import { benchAudit } from './audit.ts';
import { benchErase } from './erase.ts';
import { benchIngest } from './ingest.ts';
import { benchKeeper } from './keeper.ts';
import { benchLint } from './lint.ts';
import { benchProve } from './prove.ts';
import { benchStart } from './start.ts';
import { benchSustained } from './sustained.ts';
import { benchTables } from './tables.ts';

type Bench = { takes: string; run: (seconds?: number) => Promise<void> };

const { values, positionals } = parseArgs({
  options: { rows: { type: 'string' } },
  allowPositionals: true,
});
const [name, seconds] = positionals;
const rows = values.rows === undefined ? undefined : Number(values.rows);

const BENCHES: Readonly<Record<string, Bench>> = {
  lint: { takes: '10 s', run: benchLint },
  keeper: { takes: '30 s', run: benchKeeper },
  audit: { takes: '2 minutes', run: benchAudit },
  start: { takes: '1 minute', run: benchStart },
  ingest: { takes: '2 minutes', run: benchIngest },
  prove: { takes: '3 minutes', run: benchProve },
  erase: { takes: '2 minutes', run: () => benchErase(rows) },
  tables: { takes: '3 minutes', run: benchTables },
  sustained: { takes: '6 minutes', run: benchSustained },
};

if (name !== undefined && !Object.hasOwn(BENCHES, name)) {
  process.stderr.write(`There is no "${name}". Try: ${Object.keys(BENCHES).join(', ')}.\n`);
  process.exit(1);
}
for (const [known, { takes, run }] of Object.entries(BENCHES)) {
  if (name !== undefined && name !== known) continue;
  process.stdout.write(`\n# ${known} (about ${takes})\n`);
  await run(seconds === undefined ? undefined : Number(seconds));
}
process.exit(0);
