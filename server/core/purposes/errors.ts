import { problems } from '#base/problem';

export const purposeProblem = problems({
  'data-not-read': { status: 404, title: 'No events of this type are read here' },
  'purpose-not-declared': { status: 403, title: 'The policy declares no such purpose' },
  'purpose-not-for-data': { status: 403, title: 'The purpose may not read this data' },
  'purpose-not-stated': { status: 403, title: 'A reading states its purpose' },
});
