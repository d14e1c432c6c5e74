import { type Look, unescaped } from '#core/looking';

/** The document as three parties have it: the database, the interface, the page. */
export type Published = {
  readonly html: string;
  readonly hash: string;
  readonly document: Record<string, unknown>;
  readonly stored: {
    readonly revision: number;
    readonly hash: string;
    readonly document: Record<string, unknown>;
    readonly appliedAt: Date;
    readonly newest: number;
  };
};

/** Reads all three as a stranger and as the owner; `undefined` where one of them is not there. */
export async function publishedBy(look: Look): Promise<Published | undefined> {
  const [json, page] = await Promise.all([
    look.http(`/v1/t/${look.tenant}/policy`),
    look.http(`/v1/t/${look.tenant}/policy.html`),
  ]);
  const [stored] = await look.sql<Published['stored'][]>`
    select revision, hash, document, applied_at as "appliedAt", (
      select max(revision) from troth.policies where tenant = ${look.tenant}
    ) as newest
    from troth.policies
    where tenant = ${look.tenant} and in_force`;
  if (json.status !== 200 || page.status !== 200 || !stored) return undefined;
  const { hash, policy } = json.json as { hash: string; policy: Record<string, unknown> };
  return { html: page.text, hash, document: policy, stored };
}

/** A row of the table below a heading, cell by cell. */
export function rowsBelow(html: string, title: string): string[][] {
  const [, after = ''] = html.split(`<h2>${title}</h2>`);
  const [table = ''] = (after.split('<tbody>')[1] ?? '').split('</tbody>');
  return table
    .split('<tr>')
    .slice(1)
    .map((row) =>
      row
        .split('</td>')
        .slice(0, -1)
        .map((cell) => unescaped(cell.replaceAll(/<[^>]*>/g, '')).trim()),
    );
}
