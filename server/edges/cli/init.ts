/** `troth init`: a first policy of one's own, by asking or from what the options say. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type FirstPolicy,
  firstPolicy,
  firstPolicyComplaint,
  type Kept,
} from '@troth/policy-language';
import { askServer, isServerKnown } from './running-server.ts';
import { type Command, type Invocation, Usage } from './terminal.ts';

const SAMPLES = ['clanker', 'conducktr', 'workorders', 'magenta', 'loopkit'];

const ERRORS: Omit<Kept, 'days'> = {
  id: 'error-logs',
  title: 'Error logs',
  events: ['error'],
  optional: false,
  fields: {
    code: 'string(64)',
    place: 'string(120)',
    // Whatever a person typed may stand in it.
    message: '{ type: string, max: 500, seal: subject, category: user.content }',
  },
};

/** What services of two common kinds send, before anything is known of the one at hand. */
const TEMPLATES: Readonly<Record<string, readonly Omit<Kept, 'days'>[]>> = {
  web: [
    {
      id: 'page-views',
      title: 'Page views',
      events: ['page_view', 'type:page'],
      fields: { path: 'url-path', seconds: 'integer' },
      optional: true,
    },
    {
      id: 'feature-usage',
      title: 'Feature usage',
      events: ['feature_used'],
      fields: { feature: 'string(64)', plan: 'string(32)' },
      optional: true,
    },
    ERRORS,
  ],
  agents: [
    {
      id: 'agent-commands',
      title: 'Agent commands',
      events: ['agent_command'],
      fields: {
        tool: 'string(64)',
        arguments: '{ type: json, max: 4096, seal: subject, category: user.content }',
        outcome: '{ enum: [done, refused, failed] }',
      },
      optional: false,
    },
    ERRORS,
  ],
};

type Question = { readonly option: 'service' | 'name' | 'email' | 'age' | 'days' | 'template' };
const QUESTIONS: readonly (Question & { asks: string; otherwise: string })[] = [
  { option: 'service', asks: 'A short name of the service, for addresses', otherwise: '' },
  { option: 'name', asks: 'Who runs it, as people know you', otherwise: '' },
  { option: 'email', asks: 'Where people reach you about their data', otherwise: '' },
  { option: 'age', asks: 'The youngest age you accept', otherwise: '16' },
  { option: 'template', asks: 'What it is: web or agents', otherwise: 'web' },
  { option: 'days', asks: 'For how many days you need events', otherwise: '90' },
];

/** What the options say; what they leave open is asked, or takes its usual value. */
async function answersOf({ options, ask }: Invocation): Promise<Record<string, string>> {
  const answers: Record<string, string> = {};
  for (const { option, asks, otherwise } of QUESTIONS) {
    const said = options[option] ?? (await ask?.(asks, otherwise));
    answers[option] = said?.trim() || otherwise;
    if (answers[option] === '') throw new Usage(`say it with --${option}: ${asks.toLowerCase()}`);
  }
  return answers;
}

async function policyFrom(invocation: Invocation): Promise<FirstPolicy> {
  const {
    service = '',
    name = '',
    email = '',
    age,
    days,
    template = '',
  } = await answersOf(invocation);
  const kinds = Object.hasOwn(TEMPLATES, template) ? TEMPLATES[template] : undefined;
  if (!kinds) throw new Usage(`--template is one of ${Object.keys(TEMPLATES).join(', ')}`);
  const policy: FirstPolicy = {
    service,
    name,
    email,
    minimumAge: Number(age),
    effective: invocation.today,
    kept: kinds.map((kind) => ({ ...kind, days: Number(days) })),
  };
  const complaint = firstPolicyComplaint(policy);
  if (complaint) throw new Usage(complaint);
  return policy;
}

/** Takes the five samples out of the folder; what was applied of them is in force still. */
function removeSamples(folder: string): string[] {
  const files = SAMPLES.flatMap((name) => [`${name}.yaml`, `${name}.md`]);
  const there = files.filter((file) => existsSync(join(folder, file)));
  for (const file of there) rmSync(join(folder, file));
  return there;
}

/** The samples that the running server has in force; none where no server answers. */
async function samplesInForce(dataDir: string): Promise<string[]> {
  if (!isServerKnown(dataDir)) return [];
  try {
    const { tenants } = (await askServer(dataDir, 'GET', '/v1/tenants')) as {
      tenants: { id: string }[];
    };
    return tenants.map(({ id }) => id).filter((id) => SAMPLES.includes(id));
  } catch {
    return [];
  }
}

/** Their documents are gone, and they run on: what takes each of them out. */
async function stillInForce(dataDir: string): Promise<string[]> {
  const samples = await samplesInForce(dataDir);
  if (samples.length === 0) return [];
  return [
    'In force still, with what they hold. To take one out for good:',
    ...samples.map((name) => `  npm run troth -- service remove ${name}`),
  ];
}

function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const why = code === 'EEXIST' ? 'it is there already' : `it cannot be written (${code})`;
    throw new Usage(`${file}: ${why}`);
  }
}

export const initCommand: Command = {
  takes: '[--service S --name N --email E] [--template web|agents] [--remove-samples]',
  does: 'write a first policy of your own',
  async run(invocation) {
    const { options, policiesDir, dataDir } = invocation;
    const folder = options.out ?? policiesDir;
    if (options['remove-samples'] && options.service === undefined && !invocation.ask) {
      const removed = removeSamples(folder);
      const said = [
        `${removed.length} files of the samples removed`,
        ...(await stillInForce(dataDir)),
      ];
      return { text: said.join('\n'), json: { removed } };
    }
    const policy = await policyFrom(invocation);
    const { yaml, prose } = firstPolicy(policy);
    mkdirSync(folder, { recursive: true });
    const files = [join(folder, `${policy.service}.yaml`), join(folder, `${policy.service}.md`)];
    const [document = '', published = ''] = files;
    if (existsSync(published)) throw new Usage(`${published}: it is there already`);
    writeNew(document, yaml);
    writeNew(published, prose);
    const removed = options['remove-samples'] ? removeSamples(folder) : [];
    const next = [
      `${document} is the program, ${published} says the same in words.`,
      ...(removed.length > 0 ? [`${removed.length} files of the samples removed.`] : []),
      ...(options['remove-samples'] ? await stillInForce(dataDir) : []),
      'Read it, change it, then:',
      `  npm run troth -- lint ${document}`,
      '  npm start',
    ];
    return { text: next.join('\n'), json: { service: policy.service, files, removed } };
  },
};
