/** Rules about the document alone: purposes, data, consent, references. */
import { fallsUnder, isPersonal } from '#vocabulary';
import type { Raised, Rule } from './rule.ts';

export const dataIsLimitedAndPurposeful: Rule = function* ({ policy }) {
  for (const [id, type] of Object.entries(policy.data)) {
    if (type.retain === undefined) {
      yield {
        code: 'data/without-retention',
        message: `"${id}" is held without a limit of time.`,
        path: ['data', id],
        expected: 'retain: a duration or a word that says what ends it',
        example: 'retain: P90D',
      };
    }
    if (type.purposes.length === 0) {
      yield {
        code: 'data/without-purpose',
        message: `"${id}" is held for no purpose.`,
        path: ['data', id, 'purposes'],
        expected: 'at least one key of purposes',
        example: `purposes: [${Object.keys(policy.purposes)[0] ?? 'service-delivery'}]`,
      };
    }
    if (type.from === 'events' && Object.keys(type.fields ?? {}).length === 0) {
      yield {
        code: 'data/events-without-fields',
        message: `Events land in "${id}", which declares no field: all of them would be dropped.`,
        path: ['data', id],
        expected: 'fields: at least one, with its type',
        example: 'fields: { tool: string(64) }',
      };
    }
  }
};

export const personalFieldsAreSealed: Rule = function* ({ policy }) {
  for (const { id, fields } of Object.values(policy.compiled.data)) {
    for (const { name, category, seal } of Object.values(fields)) {
      if (category === null || seal !== null || !isPersonal(category)) continue;
      if (policy.data[id]?.from !== 'events') continue;
      yield {
        code: 'data/personal-unsealed',
        message: `"${name}" of "${id}" is ${category} and would be stored in clear.`,
        path: ['data', id, 'fields', name],
        expected: 'seal: subject, vault or end-to-end',
        example: '{ type: string, max: 64, seal: subject, category: user.contact.email }',
      };
    }
  }
};

export const eventsLandOnce: Rule = function* ({ policy }) {
  const landing = new Map<string, string>();
  for (const [id, type] of Object.entries(policy.data)) {
    for (const name of type['event-names'] ?? []) {
      const other = landing.get(name);
      if (other === undefined) landing.set(name, id);
      else {
        yield {
          code: 'data/event-declared-twice',
          message: `Events named "${name}" land in "${other}" and in "${id}".`,
          path: ['data', id, 'event-names'],
          expected: 'each name in one data type',
          example: `event-names: [${(type['event-names'] ?? []).filter((one) => !landing.has(one)).join(', ') || 'another'}]`,
        };
      }
    }
  }
};

export const consentIsAsked: Rule = function* ({ policy }) {
  for (const [id, purpose] of Object.entries(policy.purposes)) {
    if (purpose.basis === 'consent' && (purpose.default === 'on' || purpose.required === true)) {
      yield {
        code: 'consent/default-on',
        message: `"${id}" rests on consent, yet is ${purpose.required ? 'required' : 'on by default'}.`,
        path: ['purposes', id],
        expected: 'default: off, or another basis',
        example: 'default: off',
      };
    }
  }
};

export const forbiddenUsesStayForbidden: Rule = function* ({ policy }) {
  for (const [id, { use }] of Object.entries(policy.purposes)) {
    const forbidden = policy['forbidden-uses']?.find((parent) => fallsUnder(use, parent));
    if (forbidden === undefined) continue;
    yield {
      code: 'purpose/forbidden-use',
      message: `"${id}" is a use under "${forbidden}", which the policy rules out.`,
      path: ['purposes', id, 'use'],
      expected: `a use outside of ${forbidden}`,
      example: 'use: essential.service',
    };
  }
};

export const aliasesAreFree: Rule = function* ({ policy }) {
  for (const [id, purpose] of Object.entries(policy.purposes)) {
    for (const alias of purpose.aliases ?? []) {
      const owner = policy.compiled.purposeNames[alias];
      if (owner === id) continue;
      yield {
        code: 'purpose/alias-taken',
        message: `"${alias}" already stands for "${owner}".`,
        path: ['purposes', id, 'aliases'],
        expected: 'a name that stands for nothing else',
        example: `aliases: [${id}-too]`,
      };
    }
  }
};

export const purposesAreUsed: Rule = function* ({ policy }) {
  const used = new Set<string>();
  for (const { purposes } of Object.values(policy.data))
    for (const word of purposes) used.add(word);
  for (const { purpose } of Object.values(policy.cookies ?? {})) used.add(purpose);
  for (const { purpose } of Object.values(policy.recipients ?? {})) if (purpose) used.add(purpose);
  for (const id of Object.keys(policy.purposes)) {
    if (used.has(id)) continue;
    const message = `No data, cookie or recipient serves "${id}".`;
    yield { code: 'purpose/unused', message, path: ['purposes', id] } satisfies Raised;
  }
};
