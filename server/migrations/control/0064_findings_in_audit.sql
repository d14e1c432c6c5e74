-- The last entry of the audit log about each promise, found without reading the whole log: an
-- evidence report carries its proof.
-- Owner: oversight/evidence

-- Within the transaction that claims the number: the log is short when this version first starts.
-- squawk-ignore require-concurrent-index-creation
create index audit_entries_of_promises
  on troth.audit_entries (tenant, (fields ->> 'promise'), seq desc)
  where event in ('promise.found-kept', 'promise.found-broken', 'promise.found-gap');
