import type { IncomingMessage } from 'node:http';
import type { Signals } from './model.ts';
import { member } from './wire.ts';

/** Several headers, or one with a list, speak when any says "1". @see W3C GPC, section 3. */
const says1 = (value: string | string[] | undefined): boolean =>
  value !== undefined &&
  (value === '1' ||
    String(value)
      .split(',')
      .some((one) => one.trim() === '1'));

const NO_SIGNALS: Signals = Object.freeze({ gpc: false, dnt: false, doNotSell: false });

/**
 * What the browser says in its headers, or its script in the body: a beacon may carry no header of
 * ours. Either is enough to close; neither can open what the other closed.
 */
export function signalsOf(headers: IncomingMessage['headers'], told: unknown): Signals {
  const { dnt } = headers;
  const gpc = headers['sec-gpc'];
  const doNotSell = headers['x-do-not-sell'];
  const silent = gpc === undefined && dnt === undefined && doNotSell === undefined;
  if (silent && told === undefined) return NO_SIGNALS;
  return {
    gpc: says1(gpc) || member(told, 'gpc') === true,
    dnt: says1(dnt) || member(told, 'dnt') === true,
    doNotSell: says1(doNotSell) || member(told, 'doNotSell') === true,
  };
}

/** What one event says for itself, in its own context; `undefined` when it says nothing. */
export function signalsTold(told: unknown): Signals | undefined {
  if (told === undefined) return undefined;
  const gpc = member(told, 'gpc') === true;
  const dnt = member(told, 'dnt') === true;
  const doNotSell = member(told, 'doNotSell') === true;
  return gpc || dnt || doNotSell ? { gpc, dnt, doNotSell } : undefined;
}

/** What speaks for an event: its own signals, and those that came with its request. */
export function signalsFor(
  { signals }: { readonly signals: Signals },
  { told }: { readonly told: Signals | undefined },
): Signals {
  if (told === undefined) return signals;
  return {
    gpc: signals.gpc || told.gpc,
    dnt: signals.dnt || told.dnt,
    doNotSell: signals.doNotSell || told.doNotSell,
  };
}
