/**
 * The real server, that ends as by a power cut in the middle of an erasure or a removal: once its
 * parent has named a step, after that step has come for the n-th time. For tests of crashes;
 * nothing else starts it.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Step as ErasureStep } from '#domains/rights';
import type { Step as RemovalStep } from '#oversight/removal';
import { readConfig } from '../config.ts';
import { serve } from '../serve.ts';

type Step = ErasureStep | RemovalStep;
export type Stop = { readonly after: Step; readonly times: number };

const ROOT = join(import.meta.dirname, '..', '..');
const config = readConfig(process.env, ROOT);
const log = join(config.dataDir, 'log');
let stop: { after: Step; times: number } | undefined;
process.on('message', (message: Stop) => {
  stop = { ...message };
  process.send?.('armed');
});

function passed(step: Step): void {
  if (stop?.after !== step) return;
  stop.times -= 1;
  if (stop.times === 0) process.kill(process.pid, 'SIGKILL');
}

const running = await serve({
  config,
  root: ROOT,
  policiesDir: config.policiesDir,
  progress: () => undefined,
  complain: () => undefined,
  writeLog(line) {
    mkdirSync(log, { recursive: true });
    appendFileSync(join(log, 'troth.jsonl'), line);
  },
  afterErasureStep: passed,
  afterRemovalStep: passed,
});
console.log(JSON.stringify(running.development));
process.once('disconnect', () => process.exit(0));
process.once('SIGTERM', () => void running.close().then(() => process.exit(0)));
