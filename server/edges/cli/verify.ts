/** `troth verify`: checks what Troth signed, with nothing but the file and the public key. */
import {
  closeSync,
  createReadStream,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { type DocumentFailure, type VerifiedDocument, verifyDocument } from '#base/signed-document';
import { type NoteKey, openCheckpoint, parseVkey } from '#base/signed-note';
import { EXPORT_KIND, type LogVerdict, verifyExport, verifyFolder } from '#core/audit';
import { CERTIFICATE_KIND, type Certificate, certificateComplaints } from '#domains/rights';
import { REPORT_KIND, type Report, reportComplaints } from '#oversight/evidence';
import { type Command, first, type Invocation, paint, readText, Usage } from './terminal.ts';

/** What else must hold of a document of a kind, beside its signature. */
export type Verdict = { readonly says: readonly string[] } | { readonly wrong: string };

/** One line for each kind of signed document. A kind that is not here is checked as signed, only. */
const VERIFIERS: Readonly<Record<string, (found: VerifiedDocument) => Verdict>> = {
  [REPORT_KIND]: reportSays,
  [CERTIFICATE_KIND]: certificateSays,
};

const FAILURES: Readonly<Record<DocumentFailure['failure'], string>> = {
  'not-a-signed-document': 'it is not something that Troth signed',
  'version-unknown': 'it was written by a newer version',
  'key-not-trusted': 'it is signed by another key than the one given',
  'signature-wrong': 'it was changed after it was signed',
};

const DOCUMENT_BYTES_MAX = 64 * 1024 * 1024;
const HEADER_BYTES_MAX = 64 * 1024;

export const verifyCommand: Command = {
  takes: 'FILE|DIR [--key FILE|VKEY] [--since CHECKPOINT]',
  does: 'check a certificate, a report or an audit log, offline',
  async run(invocation) {
    const file = first(invocation, 'name what is to be checked');
    const key = keyOf(invocation);
    const { since } = invocation.options;
    const note = since === undefined ? undefined : readText(since);
    const verdict = await verify(file, { key, since: note });
    if ('wrong' in verdict) {
      const text = `${paint(invocation, 'red', 'wrong')}  ${file}: ${verdict.wrong}`;
      return { text, json: { file, verified: false, wrong: verdict.wrong }, no: true };
    }
    const { says } = verdict;
    const good = key ? paint(invocation, 'green', 'good') : paint(invocation, 'amber', 'whole');
    const stranger = 'whose key that is was not checked: give it with --key';
    const lines = [...says, ...(key ? [] : [stranger])].map((line) => `  ${line}`);
    const text = [`${good}  ${file}`, ...lines].join('\n');
    return { text, json: { file, verified: key !== undefined, says }, no: key === undefined };
  },
};

/** The key that was given, or the one of the installation on this machine. */
function keyOf({ options, dataDir }: Invocation): NoteKey | undefined {
  const own = join(dataDir, 'troth.pub');
  if (options.key === undefined) {
    return existsSync(own) ? parseVkey(readFileSync(own, 'utf8')) : undefined;
  }
  const key = parseVkey(options.key) ?? parseVkey(readText(options.key));
  if (!key) throw new Usage('--key: a file or a text as in troth.pub');
  return key;
}

type Given = { key: NoteKey | undefined; since: string | undefined };

async function verify(file: string, given: Given): Promise<Verdict> {
  if (!existsSync(file)) throw new Usage(`${file}: there is no such file`);
  if (statSync(file).isDirectory()) return verifyDirectory(file, given);
  const head = readHead(file);
  const isExport = head.startsWith('{"') && head.includes(`"troth":"${EXPORT_KIND}/`);
  if (isExport) return verifyExportFile(file, given);
  if (given.key && openCheckpoint(head, given.key.publicKey)) {
    return { says: [`a checkpoint: ${head.split('\n').slice(0, 2).join(', size ')}`] };
  }
  if (statSync(file).size > DOCUMENT_BYTES_MAX) return { wrong: 'it is too long to be a document' };
  const found = open(readText(file), given);
  if ('wrong' in found) return found;
  const further = VERIFIERS[found.kind]?.(found) ?? { says: [] };
  return 'wrong' in further ? further : { says: [...signedBy(found), ...further.says] };
}

function readHead(file: string): string {
  const handle = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(HEADER_BYTES_MAX);
    return bytes.toString('utf8', 0, readSync(handle, bytes));
  } finally {
    closeSync(handle);
  }
}

/** Whether the figures of a report follow from its rows, and its rows stand in the audit log. */
function reportSays({ document, publicKey }: VerifiedDocument): Verdict {
  const [complaint] = reportComplaints(document, publicKey);
  if (complaint) return { wrong: complaint };
  const { service, madeAt, counts, audit } = document as Report;
  const inLog = Object.keys(audit.entries).length;
  return {
    says: [
      `evidence about ${service}, made ${madeAt}`,
      `${counts.kept} kept, ${counts.broken} broken, ${counts.gap} gaps, ${counts.attested} attested`,
      `${inLog} findings stand in the audit log that it names`,
    ],
  };
}

/** Whether what a certificate claims follows from the figures that it holds. */
function certificateSays({ document }: VerifiedDocument): Verdict {
  const [complaint] = certificateComplaints(document);
  if (complaint) return { wrong: complaint };
  const { tenant, request, times, stores, search, remains, says } = document as Certificate;
  const deleted = stores.reduce((sum, one) => sum + one.deleted, 0);
  const searched = search.places.filter((place) => place.searched).map(({ store }) => store);
  return {
    says: [
      `erasure ${request} in ${tenant}, asked ${times.requested}, searched ${times.searched}`,
      `${deleted} rows deleted in ${stores.length} places; none of them counts any more`,
      `the person’s bytes were looked for in ${searched.join(', ') || 'no store'}`,
      ...remains.map(({ what, where, until }) => `stays: ${what} in ${where}, until ${until}`),
      says,
    ],
  };
}

const signedBy = ({ kind, kid }: VerifiedDocument) => [`${kind}, signed by the key ${kid}`];

/** How many names of members a text of JSON spells out. */
function namesIn(text: string): number {
  let names = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) if (colon) names += 1;
  return names;
}

/** How many members what was read has, at every depth. */
function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = Object.values(value).reduce<number>((sum, one) => sum + membersOf(one), 0);
  return Array.isArray(value) ? inner : inner + Object.keys(value).length;
}

function open(text: string, { key }: Given): VerifiedDocument | { wrong: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { wrong: FAILURES['not-a-signed-document'] };
  }
  // Of a name that stands twice people read the first, and programs the last.
  if (namesIn(text) !== membersOf(value)) return { wrong: 'a name stands twice in it' };
  const found = verifyDocument(value, key?.publicKey);
  return 'failure' in found ? { wrong: FAILURES[found.failure] } : found;
}

const logSays = (verdict: LogVerdict, given: Given): Verdict =>
  'wrong' in verdict
    ? verdict
    : {
        says: [
          `audit log ${verdict.origin}: ${verdict.size} entries, each in its place`,
          ...(verdict.cut > 0 ? [`${verdict.cut} without their body, whose time was over`] : []),
          ...(given.since === undefined ? [] : ['it extends the earlier checkpoint']),
        ],
      };

/** The lines of a file, some at a time, without growing with it. */
async function* linesOf(file: string): AsyncGenerator<Buffer[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk as Buffer]) : (chunk as Buffer);
    if (bytes.length > DOCUMENT_BYTES_MAX) throw new Usage(`${file}: a line is too long`);
    const lines: Buffer[] = [];
    let at = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, at)) {
      lines.push(bytes.subarray(at, end));
      at = end + 1;
    }
    rest = bytes.subarray(at);
    yield lines;
  }
  if (rest.length > 0) yield [rest];
}

async function verifyExportFile(file: string, given: Given): Promise<Verdict> {
  const lines = linesOf(file);
  const { value: first } = await lines.next();
  const [head, ...others] = (first ?? []) as Buffer[];
  const header = open(String(head ?? ''), given);
  if ('wrong' in header) return header;
  async function* entries() {
    yield others;
    yield* lines;
  }
  return logSays(await verifyExport(header, entries(), given.since), given);
}

async function verifyDirectory(dir: string, given: Given): Promise<Verdict> {
  const file = join(dir, 'export.json');
  const header = existsSync(file) ? open(readText(file), given) : undefined;
  if (header && 'wrong' in header) return header;
  const publicKey = given.key?.publicKey ?? header?.publicKey;
  if (!publicKey) throw new Usage('a folder of tiles is checked with --key');
  return logSays(await verifyFolder(dir, { publicKey, since: given.since }), given);
}
