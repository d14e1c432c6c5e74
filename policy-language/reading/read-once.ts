/**
 * How zod is asked: a document is read once, and the code that zod would generate for each of its
 * objects takes longer to make than it saves. (10,000 lines: 20 ms of 330.)
 */
export const READ_ONCE = { jitless: true } as const;
