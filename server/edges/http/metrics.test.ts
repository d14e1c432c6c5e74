import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderMetrics } from './metrics-routes.ts';

test('a label may hold any text, and a line stays one line', () => {
  const text = renderMetrics([
    {
      name: 'troth_promises',
      help: 'Promises by state.',
      type: 'gauge',
      samples: [
        { labels: { service: 'clan"ker\\', state: 'ke\npt' }, value: 3 },
        { labels: { service: 'loopkit', state: 'gap' }, value: 0.5 },
      ],
    },
    { name: 'troth_inbox_rows', help: 'Waiting.', type: 'gauge', samples: [{ value: 7 }] },
  ]);
  assert.equal(
    text,
    [
      '# HELP troth_promises Promises by state.',
      '# TYPE troth_promises gauge',
      'troth_promises{service="clan\\"ker\\\\",state="ke\\npt"} 3',
      'troth_promises{service="loopkit",state="gap"} 0.5',
      '# HELP troth_inbox_rows Waiting.',
      '# TYPE troth_inbox_rows gauge',
      'troth_inbox_rows 7',
      '',
    ].join('\n'),
  );
});
