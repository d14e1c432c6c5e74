import type { Hono } from 'hono';
import type { RequestId } from '#base/ids';
import type { Problem } from '#base/problem';
import type { ExtraOperation } from './open-api.ts';

/** What every handler finds in `c.var`. */
export type Edge = {
  Variables: {
    requestId: RequestId;
    operator: boolean;
    /** Scheme, host and port as the person's browser knows them, also behind a proxy. */
    origin: string;
    secure: boolean;
    /** Why it could not be seen whether this is the operator: then nobody is. */
    unseen?: Problem;
  };
};

/** What a domain brings: its routes, already holding what they need, and a line about each. */
export type DomainRoutes = {
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: a domain's variables are its own affair
  routes?: Hono<any>;
  operations?: readonly ExtraOperation[];
};
