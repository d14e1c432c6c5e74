/**
 * Objects: exports, archives, evidence. Local files, or anything that passes `contract.ts`.
 *
 * A key is a path of plain words; none of them can name a place outside the store. What `put`
 * returned from is on the disk. Each tenant's part is reached through `scopedBlobs` only.
 */
export { type BlobBody, type Blobs, checkKey, scopedBlobs } from './blobs.ts';
export { blobsProblem } from './errors.ts';
export { openLocalBlobs } from './local.ts';
