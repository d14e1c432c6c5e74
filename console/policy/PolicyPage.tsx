import { use } from 'react';
import { nodesOf, parsePage } from '#console/policy/page.tsx';
import type { Screen } from '#console/shell/routes.ts';

type Asked = { page: Promise<string> };

export const policyScreen: Screen<Asked> = {
  load: (api, service) => ({ page: api.policyPage(service) }),
  Component: PolicyPage,
};

/** The page that the public reads, made from the very document that is enforced. */
function PolicyPage({ page, service }: Asked & { service: string }) {
  const text = use(page);
  return (
    <>
      <p className="lead policy-lead">
        Rendered from the document that is enforced; its hash is printed on it.{' '}
        <a href={`/v1/t/${service}/policy.html`}>HTML</a> ·{' '}
        <a href={`/v1/t/${service}/policy.md`}>Markdown</a> ·{' '}
        <a href={`/v1/t/${service}/policy`}>JSON</a>
      </p>
      <article className="policy">{nodesOf(parsePage(text))}</article>
    </>
  );
}
