/** Rules about tables and drawings in the prose. */
import type { Rule } from './rule.ts';

const cellsOf = (line: string) =>
  line
    .replace(/^\s*\|/, '')
    .replace(/\|\s*$/, '')
    .split('|');

/** A row with a cell less than its header has lost a value, and every later one has moved. */
export const rowsMatchTheirHeader: Rule = function* ({ prose }) {
  let width = 0;
  let before = 0;
  for (const { line, text } of prose.find('|', /^\s*\|/)) {
    const cells = cellsOf(text);
    if (line !== before + 1) width = cells.length;
    else if (cells.length < width && cells.length > 1) {
      yield {
        code: 'prose/table-row-short',
        message: `This row has ${cells.length} cells; its header has ${width}.`,
        hit: { line, text, match: cells[0]?.trim() ?? text, groups: [] },
        expected: `${width} cells`,
        example: `| ${[...cells.map((cell) => cell.trim()), ...Array(width - cells.length).fill('–')].join(' | ')} |`,
      };
    }
    before = line;
  }
};

/** A table of enrichments with a column "Can Disable?" that says No. */
export const everyEnrichmentHasASwitch: Rule = function* ({ prose }) {
  if (!prose.has('can disable', /can disable\?/i)) return;
  for (const hit of prose.find('| no |', /^\s*\|\s*([^|]+?)\s*\|.*\|\s*No\s*\|\s*$/i)) {
    yield {
      code: 'ambiguity/enrichment-always-on',
      message: `"${hit.groups[0]}" cannot be switched off, whatever a signal or another policy asks.`,
      hit: { ...hit, match: hit.groups[0] ?? hit.match },
      expected: 'ingest.enrich: each with can-disable, per policy',
    };
  }
};

/** A drawing whose boxes name services: the names stand again in credentials, doors and notices. */
export const siblingsKeepTheirNames: Rule = function* ({ policy, prose }) {
  const names: string[] = [];
  let first: { line: number; text: string } | undefined;
  for (const { line, text } of prose.find('│', /^│/)) {
    const cells = text.split('│').map((cell) => cell.trim());
    const found = cells.filter((cell) => /^[A-Z]{3,}$/.test(cell));
    if (found.length > 0) first ??= { line, text };
    names.push(...found);
  }
  if (!first || names.length < 2) return;
  const acronym = names.map((name) => name[0]).join('');
  const printed = prose.first(acronym.toLowerCase(), new RegExp(`\\b${acronym}\\b`));
  yield {
    code: 'ambiguity/service-identities',
    message: `The drawing names ${names.join(', ')}${printed ? ` for ${acronym}` : ''}: these exact names identify the services.`,
    hit: { ...first, match: names[0] ?? '', groups: [] },
    promises: policy.promises
      .filter(({ says }) => names.some((name) => says.includes(name)))
      .map(({ id }) => id),
    expected: 'the same names as identities wherever services meet',
  };
};
