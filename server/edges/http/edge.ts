import type { RequestId } from '#base/ids';

/** What every handler finds in `c.var`. */
export type Edge = {
  Variables: { requestId: RequestId; operator: boolean; secure: boolean };
};
