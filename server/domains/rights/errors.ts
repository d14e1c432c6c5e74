import { problems } from '#base/problem';

export const rightsProblem = problems({
  'erasure-body-broken': { status: 422, title: 'This demand for erasure cannot be read' },
  'erasure-not-confirmed': { status: 422, title: 'An erasure has to be confirmed' },
  'erasure-not-verified': { status: 422, title: 'Nobody verified who asks for this erasure' },
  'erasure-unknown': { status: 404, title: 'There is no such erasure here' },
  'erasure-not-finished': { status: 409, title: 'The erasure is not finished' },
  'erasure-not-undoable': { status: 409, title: 'The erasure cannot be undone any more' },
  'repeat-key-reused': { status: 409, title: 'This key stood on another demand' },
  'hold-without-ground': { status: 422, title: 'The policy publishes no such ground' },
  'hold-incomplete': { status: 422, title: 'A hold on this ground has to say more' },
  'hold-unknown': { status: 404, title: 'There is no such hold here' },
  'journal-shorter': { status: 503, title: 'The forget journal has lost what it held' },
});
