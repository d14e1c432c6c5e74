import type { Ask, Told } from '#core/looking';

const ANSWER_MS = 15_000;
const BODY_BYTES_MAX = 16 * 1024 * 1024;

/** Speaks HTTP with the server from outside. @param always  headers that every request carries. */
export function speakerTo(
  origin: string,
  { always = {}, signal }: { always?: Record<string, string>; signal: AbortSignal },
) {
  return async (path: string, ask: Ask = {}): Promise<Told> => {
    const { body } = ask;
    const isObject = typeof body === 'object' && !(body instanceof Uint8Array);
    const answer = await fetch(new URL(path, origin), {
      method: ask.method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...always,
        ...(isObject ? { 'content-type': 'application/json' } : {}),
        ...ask.headers,
      },
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
      ...(body === undefined ? {} : { body: isObject ? JSON.stringify(body) : (body as string) }),
    });
    const bytes = Buffer.from(await answer.arrayBuffer()).subarray(0, BODY_BYTES_MAX);
    const text = bytes.toString('utf8');
    return { status: answer.status, headers: answer.headers, bytes, text, json: parsed(text) };
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
