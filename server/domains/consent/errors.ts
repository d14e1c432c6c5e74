import { problems } from '#base/problem';

/** What a client of the consent interface may be told; each has a page under docs/problems. */
export const consentProblem = problems({
  'consent-body-broken': { status: 400, title: 'The request does not have the expected shape' },
  'consent-handle-not-shown': { status: 403, title: 'This key may not speak for that person' },
  'consent-in-the-future': { status: 422, title: 'A decision cannot be dated in the future' },
  'consent-notice-not-in-force': { status: 409, title: 'This notice is not the one in force' },
  'consent-person-erased': { status: 409, title: 'This person was erased a short while ago' },
  'consent-purpose-essential': { status: 409, title: 'This purpose does not rest on consent' },
  'consent-purpose-unknown': { status: 422, title: 'The policy names no such purpose' },
});
