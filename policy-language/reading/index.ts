/** Reading: text in, a tree with places out; every mistake gets a place and a lesson. */
export { TEXT_LENGTH_MAX } from './guard.ts';
export { findingsOf, type Source } from './issues.ts';
export { nearest } from './suggest.ts';
export { LineIndex, type Node, offsetOf, type Path, plainOf } from './tree.ts';
export { readYaml } from './yaml.ts';
