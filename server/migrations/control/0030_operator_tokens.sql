-- Operator tokens: links that open the console once, and the sessions that they open.
-- Only the SHA-256 of a token is here, so a copy of this table opens nothing. A spent link is
-- deleted, which is what makes it work once however many processes are asked at the same time.
-- Owner: edges/http

create table troth.operator_tokens (
  token_hash  bytea        primary key check (octet_length(token_hash) = 32),
  kind        text         not null check (kind in ('link', 'session')),
  expires_at  timestamptz  not null
);

revoke truncate on troth.operator_tokens from public;
