/** The human page: complete, harmless, and with the numbers that are enforced. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { explainPromise, policyHash, renderPolicy } from '@troth/policy-language';
import { policyOf, SOUND, spoilt } from '#language/testing/documents';

const sound = policyOf(SOUND);

test('the page prints the hash of the document, each quote and the limit in force', () => {
  for (const format of ['html', 'markdown'] as const) {
    const page = renderPolicy(sound, { format });
    assert.ok(page.includes(policyHash(sound)));
    assert.ok(page.includes('90 days'));
  }
});

test('a page of another limit shows the other limit', () => {
  const page = renderPolicy(policyOf(spoilt('P90D', 'P45D')), { format: 'html' });
  assert.ok(page.includes('>45 days</span>'));
});

test('a page with a place that nobody filled in calls itself a draft', () => {
  const told = /Draft, not published\. Still to be filled in: \\?\[Address\\?\]\./;
  const open = policyOf(spoilt('title: Commands', 'title: Commands [Address]'));
  for (const format of ['html', 'markdown'] as const) {
    assert.match(renderPolicy(open, { format }), told);
    assert.doesNotMatch(renderPolicy(sound, { format }), /Draft/);
  }
});

test('text from the document cannot become markup in either format', () => {
  const nasty = '<script>alert(1)</script>[x](javascript:1)|';
  const policy = policyOf(spoilt('title: Commands', `title: '${nasty}'`));
  const html = renderPolicy(policy, { format: 'html' });
  assert.ok(!html.includes('<script') && html.includes('&lt;script&gt;'));
  const markdown = renderPolicy(policy, { format: 'markdown' });
  assert.ok(!/(?<!\\)\[x\]|(?<!\\)<script/.test(markdown));
});

test('the page allows its own style by hash and nothing else', () => {
  const html = renderPolicy(sound, { format: 'html' });
  const style = /<style>([\s\S]*)<\/style>/.exec(html)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  assert.ok(html.includes(`style-src &#39;sha256-${hash}&#39;`));
  assert.doesNotMatch(html, /<script|\son\w+=|https?:\/\//);
});

test('a promise without evidence is printed as a gap', () => {
  const html = renderPolicy(sound, { format: 'html', states: {} });
  assert.ok(html.includes('<strong class="gap">gap</strong>'));
  assert.ok(html.includes('1 promises: 0 kept'));
});

test('a promise is explained from its sentence to the value in force', () => {
  const explained = explainPromise(sound, 'SA-01');
  assert.equal(explained?.control?.name, 'retention.limit');
  assert.deepEqual(explained?.values, [{ path: 'data.commands.retain', value: 'P90D' }]);
  assert.equal(explainPromise(sound, 'SA-99'), undefined);
});

test('every setting of the document stands on the page, in words and marked with its path', () => {
  const page = renderPolicy(sound, { format: 'html' });
  assert.match(page, /<span data-at="controller\.contacts\.[a-z]+\.email">[^<]+@/);
  assert.ok(page.includes('<span data-at="version">'));
  assert.ok(renderPolicy(sound, { format: 'markdown' }).includes('## Every setting'));
});

test('the page says of itself only what was found and when', () => {
  const standing = {
    revision: 3,
    appliedAt: '2026-03-02T12:00:00.000Z',
    lookedAt: null,
    build: '9.9.9',
  };
  const told = (state: 'kept' | 'broken' | 'gap') =>
    renderPolicy(sound, { format: 'markdown', standing, states: { 'SA-01': state } });
  assert.match(told('gap'), /Protection: not looked at yet\. 1 promises: 0 kept/);
  assert.match(told('kept'), /Protection: active\. 1 promises: 1 kept/);
  assert.match(told('broken'), /Protection: not active\. 1 promises: 0 kept/);
  assert.match(told('kept'), /Last updated 2026-03-02T12:00:00\.000Z, revision 3/);
  assert.match(told('kept'), /Last check none yet\. Build 9\.9\.9/);
  assert.doesNotMatch(renderPolicy(sound, { format: 'markdown' }), /Protection:|Last updated/);
});
