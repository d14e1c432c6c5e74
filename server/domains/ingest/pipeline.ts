/**
 * The way of an event, as a list that can be read.
 *
 * Each step takes the batch and gives it on, smaller or richer. An event that leaves the batch
 * leaves with a reason; the runner times each step. The order is part of the promise: the address
 * is forgotten before anything is decided about the person, and nothing is sealed that was not
 * first stripped.
 */
import { checkAge } from './check-age.ts';
import { checkConsent } from './check-consent.ts';
import { checkRate } from './check-rate.ts';
import { checkSchema } from './check-schema.ts';
import { checkSignals } from './check-signals.ts';
import { dedupe } from './dedupe.ts';
import { detectDevice } from './detect-device.ts';
import { linkSession } from './link-session.ts';
import { forgetAddress, locate } from './locate.ts';
import type { Arrived, Batch } from './model.ts';
import type { Tools } from './ports.ts';
import { pseudonymise } from './pseudonymise.ts';
import { seal } from './seal.ts';
import { store } from './store-events.ts';
import { stripContent } from './strip-content.ts';

/** A step: a function over the batch, named as the policy pages name it. */
export type Step<In = never, Out = unknown> = (batch: In, tools: Tools) => Out | Promise<Out>;

export const pipeline = [
  checkRate,
  checkSchema,
  dedupe,
  locate,
  forgetAddress,
  checkAge,
  checkSignals,
  checkConsent,
  stripContent,
  detectDevice,
  linkSession,
  pseudonymise,
  seal,
  store,
] as const;

/** Compiles only while every step takes what the step before it gives. */
type Linked<Steps> = Steps extends readonly [infer First, infer Second, ...infer Rest]
  ? First extends (batch: never, tools: Tools) => infer Out
    ? Second extends (batch: infer In, tools: Tools) => unknown
      ? Awaited<Out> extends In
        ? Linked<readonly [Second, ...Rest]>
        : ['this step does not take what the one before gives', Second]
      : never
    : never
  : true;
const linked: Linked<typeof pipeline> = true;

export type StepTime = { readonly step: string; batches: number; milliseconds: number };
export const stepTimes: readonly StepTime[] = pipeline.map(({ name }) => ({
  step: name,
  batches: 0,
  milliseconds: 0,
}));

/**
 * Walks a request through all steps.
 *
 * Stays synchronous while no step has to wait, so that the common request costs no promise.
 *
 * @throws Problem ingest-rate-exceeded, and what the stores of keys and consents throw.
 */
export function runPipeline(arrived: Arrived, tools: Tools): Batch | Promise<Batch> {
  return linked && runFrom(0, arrived, tools);
}

function runFrom(first: number, arrived: unknown, tools: Tools): Batch | Promise<Batch> {
  let batch = arrived;
  let from = performance.now();
  for (let at = first; at < pipeline.length; at++) {
    const given = (pipeline[at] as Step<unknown>)(batch, tools);
    if (given instanceof Promise) {
      return given.then((next) => {
        clock(at, from);
        return runFrom(at + 1, next, tools);
      });
    }
    batch = given;
    from = clock(at, from);
  }
  return batch as Batch;
}

function clock(at: number, from: number): number {
  const now = performance.now();
  const time = stepTimes[at];
  if (time) {
    time.batches++;
    time.milliseconds += now - from;
  }
  return now;
}
