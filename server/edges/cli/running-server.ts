/** How the command line reaches a running server: its address and token are in development.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliProblem } from './errors.ts';
import { Refused } from './terminal.ts';

type Kept = { url: string; publicUrl?: string; operatorToken: string };

/**
 * Asks the running server.
 *
 * @returns the parsed body of its answer.
 * @throws Refused with the problem document that it answered; Problem server-not-running.
 */
export async function askServer(
  dataDir: string,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<unknown> {
  const response = await send(dataDir, method, path, body);
  const said: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw new Refused(said);
  return said;
}

/**
 * Asks the running server for something that it answers line by line.
 *
 * @throws Refused, Problem server-not-running; also when it stopped in the middle.
 */
export async function streamServer(
  dataDir: string,
  path: string,
  body: unknown,
  onLine: (line: unknown) => void,
): Promise<void> {
  const response = await send(dataDir, 'POST', path, body);
  if (!response.ok || !response.body) {
    throw new Refused(await response.json().catch(() => undefined));
  }
  const text = response.body.pipeThrough(new TextDecoderStream());
  try {
    for await (const line of linesOf(text)) onLine(JSON.parse(line));
  } catch {
    throw cliProblem('server-not-running', 'the server stopped in the middle of its answer');
  }
}

async function send(
  dataDir: string,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body: unknown,
): Promise<Response> {
  const { url, operatorToken } = readKept(dataDir);
  try {
    return await fetch(new URL(path, url), {
      method,
      // The same session as the console's: one way to be the operator.
      headers: { cookie: `troth_operator=${operatorToken}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw cliProblem('server-not-running', `no server answers at ${url}; start it with: npm start`);
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

/** Where people reach the server that was started on this data directory. */
export function addressOf(dataDir: string): string {
  const { publicUrl, url } = readKept(dataDir);
  return publicUrl ?? url;
}

/**
 * Reads bytes from the running server.
 *
 * @throws Refused, Problem server-not-running.
 */
export async function fetchServer(dataDir: string, path: string): Promise<Response> {
  const response = await send(dataDir, 'GET', path, undefined);
  if (!response.ok) throw new Refused(await response.json().catch(() => undefined));
  return response;
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
    throw cliProblem(
      'server-not-running',
      'no server was started on this data directory; start it with: npm start',
    );
  }
}
