import type { Brand } from './ids.ts';

/** What may stand in a log line, a problem or a metric: never a string that a person typed. */
export type Loggable = number | boolean | Brand<string>;
