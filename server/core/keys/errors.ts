import { problems } from '#base/problem';

export const keysProblem = problems({
  'keys-not-ready': { status: 503, title: 'The keys of this service are not open yet' },
  'sealed-text-invalid': { status: 500, title: 'A sealed value does not open here' },
  'end-to-end-in-clear': { status: 422, title: 'This field must be sealed by the client' },
});
