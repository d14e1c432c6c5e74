/** Reading: text in, a tree with places out; every mistake gets a place and a lesson. */
export { TEXT_LENGTH_MAX } from './guard.ts';
export { findingsOf, type Source } from './issues.ts';
export { READ_ONCE } from './read-once.ts';
export { lessonAt } from './schema-walk.ts';
export { nearest } from './suggest.ts';
export { TEXT_LESSONS } from './text-lessons.ts';
export { LineIndex, type Node, offsetOf, type Path, plainOf } from './tree.ts';
export { readYaml } from './yaml.ts';
