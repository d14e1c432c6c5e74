import type { FirstPolicy } from './answers.ts';

type Line = { readonly text: string; readonly promise?: string };

const heading = (text: string): Line => ({ text: `## ${text}` });
const kept = (text: string, bound: string): Line => ({ text, promise: bound });

/** The prose, line by line; a line that promises something says what it is bound to. */
function linesOf(answers: FirstPolicy, inWords: (duration: string) => string): Line[] {
  const { name, email } = answers;
  const optional = answers.kept.some((one) => one.optional);
  return [
    { text: `# Privacy policy of ${name}` },
    heading('What we collect'),
    kept(
      'We store the fields that this policy lists, and drop every other field at the door.',
      'control: ingest.declared-fields-only',
    ),
    ...answers.kept.map(({ id, title, days }) =>
      kept(
        `${title}: this data is deleted after ${inWords(`P${days}D`)}.`,
        `control: retention.limit, with: { data: ${id} }`,
      ),
    ),
    kept(
      'Your network address is forgotten once your country is known.',
      'control: ingest.address-forgotten, with: { after: drop }',
    ),
    kept(
      'E-mail addresses, telephone numbers and card numbers are cut out of texts.',
      'control: ingest.content-stripped, with: { classes: [email, phone, card] }',
    ),
    ...(optional
      ? [
          heading('What you decide'),
          kept(
            'What is optional is recorded after you agree, and not before.',
            'control: consent.asked-first, with: { purposes: [improvement] }',
          ),
          kept(
            'You may take your agreement back at any time.',
            'control: consent.withdrawn, with: { scope: all-optional }',
          ),
          kept(
            'A browser that sends Global Privacy Control is obeyed.',
            'control: consent.signal, with: { signal: gpc, effect: opt-out-recorded }',
          ),
        ]
      : []),
    heading('Your rights'),
    kept(
      'On request everything about you is erased within 30 days.',
      'control: erasure.complete, with: { setting: rights.erasure.within }',
    ),
    kept('Whoever is erased gets a signed certificate of it.', 'control: erasure.certificate'),
    heading('How it is protected'),
    kept(
      'Personal fields are stored encrypted with AES-256-GCM.',
      'control: encryption.at-rest, with: { setting: security.at-rest }',
    ),
    kept(
      'Connections are encrypted with TLS 1.3.',
      'control: encryption.tls, with: { setting: security.tls }',
    ),
    kept(
      'Keys are replaced every 25 days.',
      'control: keys.rotate, with: { setting: security.keys.rotate }',
    ),
    kept('The audit log can be added to, and never changed.', 'control: audit.append-only'),
    kept('We do not sell your data.', 'control: purpose.forbidden, with: { use: sales }'),
    heading('Who we are'),
    kept(`Our privacy officer answers at ${email}.`, 'config: controller.contacts.dpo.email'),
    kept(
      'This page is printed from the document that is enforced.',
      'control: policy.rendered-as-enforced',
    ),
  ];
}

/** Letters of the service's name, or `FP`: what its promises are numbered under. */
function prefixOf(service: string): string {
  const letters = service
    .replaceAll(/[^a-z]/g, '')
    .slice(0, 2)
    .toUpperCase();
  return letters.length === 2 ? letters : 'FP';
}

/**
 * @param inWords  A duration as the language says it in words.
 * @returns the prose, a line of the document for each promise in it, and the lines without one.
 */
export function sentencesOf(answers: FirstPolicy, inWords: (duration: string) => string) {
  const prefix = prefixOf(answers.service);
  const prose: string[] = [];
  const promises: string[] = [];
  const silent: number[] = [];
  for (const { text, promise } of linesOf(answers, inWords)) {
    prose.push(text, '');
    const line = prose.length - 1;
    if (promise === undefined) {
      silent.push(line);
      continue;
    }
    const id = `${prefix}-${String(promises.length + 1).padStart(2, '0')}`;
    const says = JSON.stringify(text);
    promises.push(`  - { id: ${id}, says: ${says}, line: ${line}, ${promise} }`);
  }
  return { prose: prose.join('\n'), promises, silent: silent.join(', ') };
}
