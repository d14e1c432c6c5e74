/** What each mistake of the text itself should have been, and a line that is right. */

type TextLesson = { readonly expected: string; readonly example: string };

export const TEXT_LESSONS = {
  'document/too-large': {
    expected: 'a document of at most 4 MB',
    example: 'prose: clanker.md, with the long text in that file',
  },
  'document/control-character': { expected: 'printable text in UTF-8', example: 'title: Café' },
  'document/not-utf8': { expected: 'a file that is saved as UTF-8', example: 'title: Café' },
  'document/too-deep': {
    expected: 'lists and keys less deep inside each other',
    example: 'fields: { tool: string(64) }',
  },
  'document/several-documents': {
    expected: 'one document, without --- between parts',
    example: 'a file for each service: clanker.yaml, magenta.yaml',
  },
  'document/empty': { expected: 'a policy, which begins with its format', example: 'troth: 1' },
  'document/unreadable': { expected: 'keys and values in YAML 1.2', example: 'retain: P90D' },
  'document/syntax': {
    expected: 'YAML 1.2: one key and its value, brackets and quotes closed, indents by spaces',
    example: 'purposes: [research, "security: logs"]',
  },
  'document/alias': {
    expected: 'the value itself, written out at every place; in quotes if it begins with & or *',
    example: 'retain: P90D',
  },
  'document/tag': {
    expected: 'the plain value, without a tag; in quotes if it begins with !',
    example: 'title: Agent Commands',
  },
  'document/key': { expected: 'a word as the key', example: 'retain: P90D' },
  'document/forbidden-key': {
    expected: 'a word that is no part of programs, and values written out instead of <<',
    example: 'agent-commands: { retain: P90D }',
  },
  'document/duplicate-key': {
    expected: 'every key once: join the two, or rename one',
    example: 'purposes: [research, security-monitoring]',
  },
  'document/number': { expected: 'a finite number in decimal digits', example: '10' },
} as const satisfies Record<string, TextLesson>;

/** The codes of mistakes that are found before any grammar is asked. */
export type TextCode = keyof typeof TEXT_LESSONS;
