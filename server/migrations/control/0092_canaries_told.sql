-- A proof sees that an alarm really leaves the server: what would tell the operator of a demand of
-- its canary tells the proof instead, which listens on this machine for as long as it looks.
-- Owner: oversight/evidence

-- A port on loopback; unknown where nobody listens.
alter table troth.canary_subjects
  add column listens integer check (listens between 1024 and 65535);
