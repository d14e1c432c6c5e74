import type { DropReason } from './drops.ts';
import { keep } from './keep.ts';
import type { Batch, Signals } from './model.ts';
import type { SignalName } from './plan.ts';
import { signalsFor } from './request-signals.ts';

const REASON: Readonly<Record<SignalName, DropReason>> = {
  gpc: 'signal-gpc',
  dnt: 'signal-dnt',
  'do-not-sell': 'signal-do-not-sell',
};

const speaks = (signals: Signals, name: SignalName) =>
  name === 'gpc' ? signals.gpc : name === 'dnt' ? signals.dnt : signals.doNotSell;

/**
 * Obeys Global Privacy Control, Do Not Track and Do Not Sell from the first byte: a signal that the
 * policy hears before consent closes every purpose that the policy says it withdraws.
 *
 * @see W3C Global Privacy Control: only the value "1" speaks.
 */
export function checkSignals(batch: Batch): Batch {
  const { plan, signals, events } = batch;
  const silent = !signals.gpc && !signals.dnt && !signals.doNotSell;
  if (silent && !events.some(({ told }) => told)) return batch;
  const early = plan.signals.filter(({ name }) => plan.beforeConsent.has(name));
  if (early.length === 0) return batch;
  keep(batch, (event) => {
    const { type, handle, visitor, consentHandle } = event;
    // Where somebody may have chosen otherwise, the gate decides, and puts the conflict on record.
    const mayHaveChosen = handle || visitor !== undefined || consentHandle !== undefined;
    if (type.gates === undefined || mayHaveChosen) return undefined;
    const spoken = signalsFor(batch, event);
    const closing = early.find(
      ({ name, withdraws }) =>
        speaks(spoken, name) && type.gates?.every((gate) => withdraws.has(gate)),
    );
    return closing && REASON[closing.name];
  });
  return batch;
}
