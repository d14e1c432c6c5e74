import type { DropReason } from './drops.ts';
import { keep } from './keep.ts';
import type { Batch, Signals } from './model.ts';
import type { SignalName } from './plan.ts';

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
  const { plan, signals } = batch;
  if (!signals.gpc && !signals.dnt && !signals.doNotSell) return batch;
  const heard = plan.signals.filter(
    ({ name }) => speaks(signals, name) && plan.beforeConsent.has(name),
  );
  if (heard.length === 0) return batch;
  keep(batch, ({ type, handle, visitor, consentHandle }) => {
    // Where somebody may have chosen otherwise, the gate decides, and puts the conflict on record.
    if (
      type.gates === undefined ||
      handle ||
      visitor !== undefined ||
      consentHandle !== undefined
    ) {
      return undefined;
    }
    const closing = heard.find(({ withdraws }) => type.gates?.every((name) => withdraws.has(name)));
    return closing && REASON[closing.name];
  });
  return batch;
}
