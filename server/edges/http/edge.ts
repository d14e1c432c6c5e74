import type { RequestId } from '#base/ids';
import type { Problem } from '#base/problem';

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
