/** Starts everything, and takes it all down in reverse. */
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '#base/clock';
import { openLog } from '#platform/log';
import type { ServeOptions, Serving } from './composition.ts';
import { layFoundation } from './foundation.ts';

const BEGUN_MS = 40;

/** On a failure half-way, what had started is taken down. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { config, writeLog, progress } = options;
  const stack = new AsyncDisposableStack();
  const clock = systemClock;
  const log = openLog(writeLog, () => clock.now());
  progress('Starting the engines …');
  const laying = layFoundation(stack, { config, log });
  const laid = laying.then(
    () => undefined,
    () => undefined,
  );
  try {
    // The engines are begun in some turns of the loop, which loading the rest then holds for 300 ms:
    // they start meanwhile.
    await Promise.race([laid, wait(BEGUN_MS)]);
    const { compose } = await import('./composition.ts');
    return await compose(options, { stack, clock, log, laying });
  } catch (error) {
    await laid;
    await stack.disposeAsync();
    throw error;
  }
}
