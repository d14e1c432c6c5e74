-- A receipt is deleted at the age that the policy gives it, by the role that sweeps and no other.
-- What was agreed so long ago counts no more: silence means no.
-- Owner: domains/consent

grant delete on consent_receipts to troth_sweeper;
