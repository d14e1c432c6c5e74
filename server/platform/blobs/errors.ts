import { problems } from '#base/problem';

export const blobsProblem = problems({
  'object-key-refused': { status: 400, title: 'This is not the key of an object' },
  'object-store-full': { status: 507, title: 'The object store has no space left' },
});
