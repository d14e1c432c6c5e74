import { type Look, valueAt } from '#core/looking';
import { broken, defineProof, gap, kept, saw, span, term } from '#core/promises';
import { burstFrom, ownAddress } from './from-address.ts';

/** Fewer than a sender who has sent nothing yet may send at once, and more than flows back. */
const MANY = 300;
/** What a proof may send to a service that people use. */
const PER_MINUTE_MAX = 30_000;

export const rateLimit = defineProof({
  control: 'web.rate-limit',
  strength: 'protocol',
  blindTo:
    'Paths other than those of events, and the limit of events a second of the whole service.',
  async prove(look: Look, { setting }) {
    const perMinute = valueAt(look.policy, setting as string);
    if (typeof perMinute !== 'number')
      return gap(saw`the policy has no number at ${term(setting as string)}`);
    if (perMinute > PER_MINUTE_MAX)
      return gap(saw`${perMinute} a minute are more than a proof may send to a running service`);
    const type = look.canaries.eventTypes.find((id) => look.policy.data[id]?.key === 'none');
    if (type === undefined) return gap(saw`the policy has no type for this`);
    const person = look.canaries.person();
    const event = { ...look.canaries.event(type, person), messageId: person.anonymousId };
    const path = `/v1/t/${look.tenant}/batch`;
    // The same message again and again: taken each time, and stored once.
    await look.canaries.note(event.messageId);
    const all = { path, key: look.spareKey, from: ownAddress(), body: { batch: [event] } };
    const first = await burstFrom(look, all, perMinute + 1);
    const passed = first.statuses.get(200) ?? 0;
    if (!first.statuses.has(429)) {
      if (passed <= perMinute || first.tookMs > 60_000) {
        return gap(saw`the limit could not be reached: ${passed} in ${span(first.tookMs)}`);
      }
      return broken(saw`${passed} requests in ${span(first.tookMs)} were all taken`);
    }
    if (first.retryAfter === undefined)
      return broken(saw`a refusal does not say when to come back`);
    // What a batch holds must not matter: whoever has nothing left is refused with two events too.
    const two = { ...all, body: { batch: [event, event] } };
    const { statuses: ofTwo } = await burstFrom(look, two, MANY);
    if (!ofTwo.has(429)) {
      const taken = ofTwo.get(200) ?? 0;
      if (taken < MANY) return gap(saw`batches of two were answered otherwise`);
      return broken(
        saw`${taken} batches of two events were taken of a sender who had no more left`,
      );
    }
    const empty = { batch: [] };
    const named = { batch: [{ ...event, anonymousId: undefined }] };
    const apart = {
      key: { ...all, from: ownAddress(), body: empty },
      address: { ...all, key: look.writeKey, body: empty },
      person: { ...all, key: look.writeKey, from: ownAddress(), body: named },
    };
    const worn = performance.now();
    for (const [what, post] of Object.entries(apart)) {
      const { statuses } = await burstFrom(look, post, MANY);
      if (statuses.has(429)) continue;
      // Whoever had nothing left can have sent no more than has flowed back since.
      const back = ((performance.now() - worn) / 60_000) * perMinute;
      if (back > MANY / 2) return gap(saw`it took too long to tell one ${term(what)} from another`);
      return broken(saw`one ${term(what)} alone meets no limit`);
    }
    const others = { ...all, key: look.writeKey, from: ownAddress(), body: empty };
    const { statuses } = await burstFrom(look, others, 5);
    if (statuses.has(429)) return broken(saw`others were refused for what one sender did`);
    return kept(
      saw`429 after ${passed} requests in ${span(first.tookMs)} against ${perMinute} a minute, by key,
 by address and by person; told to wait ${Number(first.retryAfter)} s; others went on`,
    );
  },
});
