import { problems } from '#base/problem';

export const databaseProblem = problems({
  'database-newer': { status: 409, title: 'The database was written by a newer version' },
  'database-not-preparable': { status: 503, title: 'The database cannot be prepared' },
  'database-full': { status: 503, title: 'The disk of the database is full' },
  'database-unavailable': { status: 503, title: 'The database does not answer' },
  'migration-changed': { status: 409, title: 'An applied migration was edited' },
});
