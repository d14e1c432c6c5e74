/** How the command line reaches a running server: its address and token are in development.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Usage } from './terminal.ts';

type Kept = { url: string; operatorToken: string };

/**
 * Asks the running server.
 *
 * @returns the status and the parsed body; a problem document when the server refused.
 * @throws Usage when no server runs on this data directory.
 */
export async function askServer(
  dataDir: string,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
): Promise<{ status: number; body: unknown }> {
  const kept = readKept(dataDir);
  let response: Response;
  try {
    response = await fetch(new URL(path, kept.url), {
      method,
      headers: {
        // The same session as the console's: one way to be the operator.
        cookie: `troth_operator=${kept.operatorToken}`,
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Usage(`no server answers at ${kept.url}; start it with: npm start`);
  }
  return { status: response.status, body: await response.json() };
}

/**
 * Asks the running server for something that it answers line by line.
 *
 * @returns the problem document when it refused, `undefined` when all lines were handed over.
 * @throws Usage when no server runs on this data directory, or it stopped in the middle.
 */
export async function streamServer(
  dataDir: string,
  path: string,
  body: unknown,
  onLine: (line: unknown) => void,
): Promise<unknown> {
  const kept = readKept(dataDir);
  const headers = {
    cookie: `troth_operator=${kept.operatorToken}`,
    'content-type': 'application/json',
  };
  try {
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    const response = await fetch(new URL(path, kept.url), init);
    if (!response.ok || !response.body) return await response.json();
    const text = response.body.pipeThrough(new TextDecoderStream());
    for await (const line of linesOf(text)) onLine(JSON.parse(line));
    return undefined;
  } catch {
    throw new Usage(`no server answers at ${kept.url}; start it with: npm start`);
  }
}

async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of text) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

export function isServerKnown(dataDir: string): boolean {
  try {
    readKept(dataDir);
    return true;
  } catch {
    return false;
  }
}

function readKept(dataDir: string): Kept {
  try {
    return JSON.parse(readFileSync(join(dataDir, 'development.json'), 'utf8')) as Kept;
  } catch {
    throw new Usage('no server was started on this data directory; start it with: npm start');
  }
}
