/** The evidence report as a page of its own: readable without a script, and made to be printed. */
import { escapeHtml } from '@troth/policy-language';
import type { Report, ReportRow } from '#oversight/evidence';

const MARKS = { kept: '●', broken: '▲', gap: '○', attested: '◆' } as const;

const STYLE = `
:root { color-scheme: light dark; --paper: #fbfaf6; --ink: #1d1c19; --quiet: #5f5b50;
  --line: #e3dfd3; --kept: #1d5b3a; --broken: #a3261d; --gap: #8a5a00; --attested: #42566b; }
@media (prefers-color-scheme: dark) { :root { --paper: #131411; --ink: #e9e6dc; --quiet: #a8a393;
  --line: #2f312b; --kept: #7fc79c; --broken: #ff8f84; --gap: #e0b25a; --attested: #a3b8cc; } }
html { background: var(--paper); color: var(--ink); }
body { font: 0.9375rem/1.5 system-ui, "Segoe UI", sans-serif; margin: 0; }
main { margin: 0 auto; max-width: 60rem; padding: 2.5rem 1.25rem 4rem; }
h1 { font: 400 1.9rem/1.2 "Iowan Old Style", "Palatino Linotype", P052, serif; margin: 0 0 .25rem; }
h2 { border-top: 1px solid var(--line); font-size: 1.05rem; margin: 2.25rem 0 .75rem;
  padding-top: 1rem; }
.quiet, time { color: var(--quiet); }
code { font: .8125em ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.counts { display: flex; flex-wrap: wrap; gap: .25rem 2rem; list-style: none;
  margin: 1.25rem 0; padding: 0; }
.counts b { font-size: 1.5rem; font-variant-numeric: tabular-nums; font-weight: 500; }
.kept { color: var(--kept); } .broken { color: var(--broken); } .gap { color: var(--gap); }
.attested { color: var(--attested); }
article { border-bottom: 1px solid var(--line); break-inside: avoid; display: grid;
  gap: .1rem 1.5rem; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); padding: .7rem 0; }
article q { font: 1.0625rem/1.4 "Iowan Old Style", "Palatino Linotype", P052, serif; }
article p { margin: 0; overflow-wrap: anywhere; }
article small { color: var(--quiet); }
@media (max-width: 40rem) { article { grid-template-columns: minmax(0, 1fr); } }
@media print { html { background: none; color: #000; } main { max-width: none; padding: 0; }
  body { font-size: 9pt; } a { color: inherit; text-decoration: none; } }
`;

const timeOf = (iso: string) =>
  `<time datetime="${escapeHtml(iso)}">${escapeHtml(iso.replace('T', ' ').slice(0, 16))} UTC</time>`;

function rowMarkup(row: ReportRow): string {
  const { id, says, line, state, control, saw, reason, provenAt, strength, blindTo } = row;
  const seen = saw ?? reason ?? '';
  const why = state === 'gap' && reason && reason !== saw ? `<p>${escapeHtml(reason)}</p>` : '';
  const how = [
    control && `<code>${escapeHtml(control)}</code>`,
    strength && `by ${escapeHtml(strength.replace('-', ' '))}`,
    provenAt && timeOf(provenAt),
  ].filter(Boolean);
  return `<article id="${escapeHtml(id)}">
<div><q>${escapeHtml(says)}</q><br><small>${escapeHtml(id)}, line ${escapeHtml(line)}</small></div>
<div><p><b class="${state}">${MARKS[state]} ${state}</b> ${escapeHtml(saw ? seen : '')}</p>${why}
<small>${how.join(' · ')}${blindTo ? `<br>Cannot see: ${escapeHtml(blindTo)}` : ''}</small></div>
</article>`;
}

/** @returns the whole page, with one style that the policy of its answer allows by hash. */
export function reportPage(report: Report, kid: string): string {
  const { title, controller, service, version, revision, policyHash, madeAt, counts } = report;
  const order = { broken: 0, gap: 1, kept: 2, attested: 3 } as const;
  const rows = report.promises.toSorted((a, b) => order[a.state] - order[b.state]);
  const total = report.promises.length;
  const items = (['kept', 'broken', 'gap', 'attested'] as const).map(
    (state) => `<li class="${state}"><b>${counts[state]}</b> ${MARKS[state]} ${state}</li>`,
  );
  const by = Object.entries(report.keptBy).map(
    ([how, count]) => `${count} by ${how.replace('-', ' ')}`,
  );
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Evidence report: ${escapeHtml(controller)}</title><style>${STYLE}</style></head>
<body><main>
<h1>Evidence report: ${escapeHtml(controller)}</h1>
<p class="quiet">${escapeHtml(title)}, version ${escapeHtml(version)}, revision ${revision} of
<code>${escapeHtml(service)}</code>. Made ${timeOf(madeAt)}.</p>
<ul class="counts">${items.join('')}</ul>
<p>${total} promises. ${by.length > 0 ? `Of those kept: ${escapeHtml(by.join(', '))}.` : ''}</p>
<h2>What this report shows, and what it does not</h2>
<ul>${report.whatItShows.map((one) => `<li>${escapeHtml(one)}</li>`).join('')}</ul>
<h2>Promise by promise</h2>
${rows.map(rowMarkup).join('\n')}
<h2>To check it</h2>
<p>The same report as a signed file: <code>report.json</code>; check it offline with
<code>npm run troth -- verify report.json --key troth.pub</code>.</p>
<p class="quiet">Policy <code>${escapeHtml(policyHash)}</code><br>Signed by <code>${escapeHtml(kid)}</code>
of installation <code>${escapeHtml(report.instance)}</code></p>
</main></body></html>
`;
}
