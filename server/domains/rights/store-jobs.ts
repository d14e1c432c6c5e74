import type { Database } from '#platform/database';
import { countJobsNaming, dropJobsNaming } from '#platform/jobs';
import type { ErasureStore } from './model.ts';

/** Work that waits and names a person by their opaque id. */
export function jobsStore(db: Database): ErasureStore {
  return {
    name: 'jobs',
    async count(_, subjects) {
      return new Map([['queue', await countJobsNaming(db, subjects)]]);
    },
    erase: (_, subjects) => dropJobsNaming(db, subjects),
  };
}
