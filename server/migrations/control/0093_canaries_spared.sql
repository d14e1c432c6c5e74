-- What proofs asked for canaries is removed when it has come to its end. The forget journal holds it
-- still; a start that replays the journal must not make demands of it.
-- Owner: domains/rights; oversight/evidence adds whom it removed. Emptied by each start.

create table troth.forget_spared (
  tenant  text not null,
  subject uuid not null,
  primary key (tenant, subject)
);

revoke truncate on troth.forget_spared from public;
