import { expect, test } from 'vitest';
import { ApiProblem, createApi } from '#console/api.ts';

const answering = (status: number, body: unknown) => {
  const asked: string[] = [];
  const fetcher: typeof fetch = async (path) => {
    asked.push(String(path));
    return new Response(JSON.stringify(body), { status });
  };
  return { asked, api: createApi(fetcher) };
};

test('going back within seconds asks nothing again', async () => {
  const { asked, api } = answering(200, { promises: [] });
  await api.promises('clanker');
  await api.promises('clanker');
  expect(asked).toEqual(['/v1/t/clanker/promises']);
});

test('a refusal arrives with its code, and is not remembered', async () => {
  const { asked, api } = answering(401, { code: 'operator-only', title: 'For the operator' });
  await expect(api.pipeline('clanker')).rejects.toBeInstanceOf(ApiProblem);
  await expect(api.pipeline('clanker')).rejects.toMatchObject({
    code: 'operator-only',
    status: 401,
  });
  expect(asked).toHaveLength(2);
});

test('a name of a service cannot lead to another address', async () => {
  const { asked, api } = answering(200, {});
  await api.promises('../tenants');
  expect(asked).toEqual(['/v1/t/..%2Ftenants/promises']);
});
