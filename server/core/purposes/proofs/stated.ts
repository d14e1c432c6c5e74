import { broken, defineProof, gap, kept, saw, term } from '#core/promises';
import { read, refusalsOf, unreadFor } from './reading.ts';

/** No purpose, one that nobody declared, one that is no name at all. */
const UNSTATED = [
  [undefined, 'purpose-not-stated'],
  ['idle-curiosity', 'purpose-not-declared'],
  ['__proto__', 'purpose-not-declared'],
] as const;

export const stated = defineProof({
  control: 'purpose.stated',
  strength: 'protocol',
  blindTo: 'What a part of the service reads for its own work, such as consent before an event.',
  async prove(at) {
    const [data] = at.canaries.eventTypes;
    const purpose = at.policy.data[data ?? '']?.purposes[0];
    if (data === undefined || purpose === undefined) return gap(saw`no data could be asked for`);
    const unread = await unreadFor(at, data, [purpose]);
    if (unread?.length !== 0) return gap(saw`a reading with a purpose brought nothing back`);
    for (const [unstated, code] of UNSTATED) {
      const before = await refusalsOf(at, code);
      const answer = await read(at, data, unstated);
      if (answer.rows.length > 0 || answer.status !== 403 || answer.code !== code)
        return broken(saw`a reading without a declared purpose was answered ${answer.status}`);
      if ((await refusalsOf(at, code)) <= before) return broken(saw`its refusal left no entry`);
    }
    const stranger = await at.http(`/v1/t/${at.tenant}/events/read`, { body: { data, purpose } });
    if (stranger.status !== 401 && stranger.status !== 403)
      return broken(saw`a stranger's reading was answered ${stranger.status}`);
    return kept(
      saw`a canary was read for ${term(purpose)}; ${UNSTATED.length} of ${UNSTATED.length} readings without a declared purpose were refused, each on record`,
    );
  },
});
