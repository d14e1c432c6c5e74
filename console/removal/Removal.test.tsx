import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import { createApi } from '#console/api.ts';
import { Confirm, Losses, Progress } from '#console/removal/Removal.tsx';

const would = {
  lost: [{ store: 'clickhouse', place: 'agent_commands', rows: 1_204 }],
  stays: [{ store: 'files', place: 'the audit log', rows: 31 }],
  openErasures: 2,
  holds: 1,
};

test('before a service is taken out the page counts what is lost and what stands against it', () => {
  const page = renderToStaticMarkup(<Losses would={would} />);
  expect(page).toContain('agent_commands');
  expect(page).toContain('1,204');
  expect(page).toContain('the audit log');
  expect(page).toContain('1 holds stand');
});

test('the button is closed until the name is typed', () => {
  const form = renderToStaticMarkup(<Confirm service="clanker" remove={async () => undefined} />);
  expect(form).toMatch(/<button type="submit" disabled="">/);
});

test('a removal says that it is under way until it has ended', () => {
  const at = new Date().toISOString();
  const shown = (finishedAt: string | null) =>
    renderToStaticMarkup(
      <Progress service="clanker" removing={{ tenant: 'clanker', requestedAt: at, finishedAt }} />,
    );
  expect(shown(null)).toContain('are going now');
  expect(shown(at)).toContain('keys rotate');
});

test('the typed name goes to the server, and of two records the last one is the service’s', async () => {
  const asked: [string, unknown][] = [];
  const at = '2026-01-01T00:00:00.000Z';
  const api = createApi((path, init) => {
    asked.push([String(path), init?.body]);
    const earlier = { tenant: 'clanker', requestedAt: at, finishedAt: at };
    const now = { tenant: 'clanker', requestedAt: '2026-02-01T00:00:00.000Z', finishedAt: null };
    const body = init?.method === 'POST' ? now : { removals: [now, earlier] };
    return Promise.resolve(Response.json(body));
  });
  await api.removeService('clanker', 'clanker');
  expect(asked[0]).toEqual([
    '/v1/operator/services/clanker/removal',
    JSON.stringify({ confirm: 'clanker' }),
  ]);
  expect((await api.removal('clanker'))?.finishedAt).toBe(null);
});
