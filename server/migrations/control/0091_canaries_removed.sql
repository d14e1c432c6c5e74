-- What canaries left goes a minute after their prover ended, however it ended, and once more when
-- nothing of theirs can be on its way any more; in between there is nothing to look for.
-- Owner: oversight/evidence

-- When what they left was removed last; unknown until it was for the first time.
alter table troth.canary_seeds add column removed_at timestamptz;
