/**
 * A small server with made-up figures, for `vite` in development, for screenshots and for axe.
 * It sends the headers of the real one, so that what its policy forbids is seen here first.
 */
import { readFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { join, normalize } from 'node:path';
import * as answers from '#console/testing/fixture-answers.ts';

const DIST = join(import.meta.dirname, '..', 'dist');
const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
  "require-trusted-types-for 'script'; trusted-types troth-inert-page";

export type FixtureOptions = { operator: boolean; honest: boolean };

function pageOf({ written, prose }: ReturnType<typeof answers.readPolicies>[number]): string {
  const text = (line: string) => line.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const rows = Object.values(written.data)
    .map((type) => `<tr><th scope="row">${text(type.title)}</th><td>${type.purposes}</td></tr>`)
    .join('\n');
  return `<!doctype html><html lang="en"><body><main><h1>${text(written.title)}</h1>
    <p>Version ${written.version}</p><h2>Data</h2><table><tbody>${rows}</tbody></table>
    <h2>As published</h2>${prose.map((line) => `<p>${text(line)}</p>`).join('\n')}</main></body>`;
}

function stream(response: ServerResponse, service: string, honest: boolean): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const tell = () =>
    response.write(
      `event: pipeline\ndata: ${JSON.stringify(answers.pipelineOf(service, honest))}\n\n`,
    );
  const timer = setInterval(tell, 1_000);
  response.on('close', () => clearInterval(timer));
}

function sendFile(response: ServerResponse, path: string): void {
  const file = join(DIST, normalize(path.startsWith('/services') ? '/' : path));
  const found = file.endsWith('/') ? `${file}index.html` : file;
  try {
    const bytes = readFileSync(found);
    const type = TYPES[found.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY });
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}

/** Listens on loopback; port 0 takes a free one. */
export function startFixture(port: number, options: FixtureOptions): Promise<Server> {
  const policies = answers.readPolicies();
  const json = (response: ServerResponse, body: unknown, status = 200) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/v1/tenants') return json(response, answers.tenantsOf(policies, options));
    const [, tenant, rest] = /^\/v1\/t\/([a-z]+)\/(.+)$/.exec(pathname) ?? [];
    const policy = policies.find(({ written }) => written.service === tenant);
    if (!policy) return sendFile(response, pathname);
    const { written, prose } = policy;
    const gate = { code: 'operator-only', title: 'This is for the operator', status: 401 };
    switch (rest) {
      case 'promises':
        return json(response, answers.promisesOf(written, options.honest));
      case 'promises/days':
        return json(response, answers.daysOf(written));
      case 'prose':
        return json(response, { file: written.prose, lines: prose });
      case 'findings':
        return json(response, answers.findingsOf(written));
      case 'data-map':
        return json(response, answers.dataMapOf(written, options.operator));
      case 'policy.html':
        response.writeHead(200, { 'content-type': 'text/html' });
        return response.end(pageOf(policy));
      case 'pipeline':
        if (!options.operator) return json(response, gate, 401);
        return json(response, answers.pipelineOf(written.service, options.honest));
      case 'pipeline/stream':
        return stream(response, written.service, options.honest);
      default:
        return json(response, { code: 'not-found', title: 'There is nothing here' }, 404);
    }
  });
  return new Promise((resolve) => server.listen(port, 'localhost', () => resolve(server)));
}

if (import.meta.main) {
  const honest = process.argv.includes('--honest');
  await startFixture(8790, { operator: !process.argv.includes('--public'), honest });
  console.log('http://localhost:8790');
}
