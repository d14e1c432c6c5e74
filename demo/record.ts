/**
 * Makes `day.ndjson`: one day of five services, the same every time (seeded). Each line is one call
 * of a client: when, at which service, by whom, what. Includes what real clients send by mistake,
 * so that the drops and strips on the page are earned.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Recorded } from './recording.ts';
import { roughEdges } from './rough-edges.ts';

const DAY_SECONDS = 86_400;

/** mulberry32: small, seeded, good enough to draw a day. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const random = seeded(20_261_118);
const below = (count: number) => Math.floor(random() * count);
const pick = <T>(choices: readonly T[]): T => choices[below(choices.length)] as T;
const chance = (share: number) => random() < share;

/** Busy at ten and at three, quiet at night. */
function secondOfDay(): number {
  for (;;) {
    const second = random() * DAY_SECONDS;
    const hour = second / 3600;
    const busy =
      Math.exp(-((hour - 10) ** 2) / 8) + 0.8 * Math.exp(-((hour - 15) ** 2) / 10) + 0.06;
    if (random() < busy / 1.2) return Math.round(second);
  }
}

const day: Recorded[] = [];
function call(tenant: Recorded['tenant'], person: string, event: string, properties: object) {
  day.push({
    at: secondOfDay(),
    tenant,
    person,
    call: 'track',
    event,
    properties: { ...properties },
  });
}

const TOOLS = ['shell', 'search', 'browser', 'editor', 'deploy'];
for (let n = 0; n < 260; n += 1) {
  const person = `operator-${below(40)}`;
  call('clanker', person, 'agent_command', {
    agent: `agent-${below(12)}`,
    tool: pick(TOOLS),
    arguments: { cwd: `/srv/project-${below(9)}`, argv: ['run', `step-${below(30)}`] },
    sequence: n,
    outcome: pick(['done', 'done', 'done', 'refused', 'failed']),
    duration_ms: 20 + below(4000),
    ...(chance(0.1) ? { canvas_hash: 'f3a1c4', installed_fonts: 212 } : {}),
  });
}
for (let n = 0; n < 110; n += 1) {
  call('clanker', `operator-${below(40)}`, 'network_sample', {
    metric: 'round-trip',
    value: 10 + below(300),
    unit: 'ms',
    latency_ms: 10 + below(300),
  });
  if (chance(0.3)) {
    call('clanker', `operator-${below(40)}`, 'error', {
      code: `E${100 + below(40)}`,
      component: pick(TOOLS),
      severity: pick(['warning', 'error']),
      message: `step ${below(90)} ended for operator${below(40)}@example.com`,
      build: '2.0.0',
    });
  }
  if (chance(0.5)) {
    call('clanker', `operator-${below(40)}`, 'access', {
      resource: pick(['console', 'api', 'vault']),
      hour: below(24),
      weekday: below(7),
      outcome: 'granted',
    });
  }
}

const SERVERS = ['linear', 'github', 'slack'];
for (let n = 0; n < 240; n += 1) {
  const person = `member-${below(30)}`;
  const server = pick(SERVERS);
  const tool = pick(['create_issue', 'list_issues', 'search', 'post_message', 'merge']);
  call('conducktr', person, 'tool_executed', {
    server,
    tool,
    outcome: pick(['done', 'done', 'done', 'denied', 'held']),
    duration_ms: 40 + below(2500),
    ...(chance(0.2)
      ? { arguments: { title: 'Quarterly plan', assignee: 'dana@example.com' } }
      : {}),
  });
  if (chance(0.5)) {
    call('conducktr', person, 'cost', {
      meter: 'tool-call',
      server,
      tool,
      units: 1,
      amount_cents: below(4),
      currency: 'USD',
    });
  }
  if (chance(0.6)) {
    call('conducktr', person, 'api_call', {
      endpoint: `/v1/servers/${server}/tools?token=abc${n}`,
      method: 'POST',
      status: pick([200, 200, 403]),
      duration_ms: 30 + below(900),
    });
  }
}

const PLATFORMS = ['fieldglass', 'dispatchly', 'servicehub'];
for (let n = 0; n < 150; n += 1) {
  const person = `scheduler-${below(18)}`;
  const platform = pick(PLATFORMS);
  call('workorders', person, 'automation_run', {
    run: `run-${n}`,
    automation: pick(['offers', 'calendar', 'status']),
    platform,
    outcome: pick(['done', 'done', 'skipped', 'failed']),
    pages_read: below(14),
    duration_ms: 300 + below(20_000),
    ...(chance(0.15) ? { case_details: 'Client A. Example, 12 Sample Street, leaking roof' } : {}),
  });
  if (chance(0.5)) {
    const state = pick(['offered', 'accepted', 'declined', 'completed']);
    call('workorders', person, `work_order_${state}`, {
      order: `order-${below(400)}`,
      platform,
      state,
      slot: '2026-11-18T09:30:00.000Z',
      bandwidth_units: 1,
    });
  }
  if (chance(0.3))
    call('workorders', person, 'login', {
      outcome: pick(['succeeded', 'failed']),
      method: 'password',
      attempts: 1 + below(3),
    });
}

const PATHS = ['/', '/pricing', '/docs', '/blog/launch', '/contact', '/signup'];
for (let n = 0; n < 320; n += 1) {
  const person = `visitor-${below(90)}`;
  const path = pick(PATHS);
  day.push({
    at: secondOfDay(),
    tenant: 'magenta',
    person,
    call: 'page',
    event: path.slice(1) || 'home',
    properties: {
      path,
      campaign: pick(['spring', 'launch', 'none']),
      utc_offset_minutes: 60 * (below(20) - 10),
    },
  });
  if (chance(0.4))
    call('magenta', person, 'button_pressed', {
      path,
      category: 'cta',
      label: pick(['Try it', 'Talk to us']),
      value: 1,
    });
  if (chance(0.25))
    call('magenta', person, 'page_load', {
      metric: 'page-load',
      page_load_ms: 200 + below(1800),
      path,
    });
  if (chance(0.15))
    call('magenta', person, 'qr_scan', {
      code: `qr-${below(20)}`,
      campaign: 'spring',
      target: '/signup',
      scan_count: 1,
    });
  if (chance(0.08))
    call('magenta', person, 'button_pressed', { path, label: 'call me on +1 415 555 0134' });
}

const SECTIONS = ['analytics', 'reports', 'billing', 'team'];
for (let n = 0; n < 340; n += 1) {
  const person = `person-${below(80)}`;
  call('loopkit', person, 'page_view', {
    page: pick(['/dashboard', '/reports', '/settings']),
    section: pick(SECTIONS),
    time_spent: below(240),
  });
  if (chance(0.5)) {
    call('loopkit', person, 'feature_used', {
      feature: pick(['export_data', 'share', 'filter']),
      success: chance(0.93),
      duration: below(200),
      ...(chance(0.1) ? { search: 'salary of jane doe', email: 'jane.doe@example.com' } : {}),
    });
  }
  if (chance(0.15))
    call('loopkit', person, 'performance', {
      metric: 'paint',
      value: below(900),
      page: '/dashboard',
    });
  if (chance(0.1))
    call('loopkit', person, 'error', { code: 'E42', component: 'chart', fatal: false });
}
for (let n = 0; n < 24; n += 1) {
  const email = `person-${n}@example.com`;
  if (n % 3 !== 0)
    day.push({
      at: 60 * n,
      tenant: 'loopkit',
      person: `person-${n}`,
      call: 'consent',
      event: '',
      properties: { 'performance-monitoring': true, 'error-tracking': n % 2 === 0 },
    });
  day.push({
    at: secondOfDay(),
    tenant: 'loopkit',
    person: `person-${n}`,
    call: 'identify',
    event: '',
    properties:
      n % 4 === 0
        ? { email, organization: 'Acme Corp' }
        : { plan: pick(['free', 'pro']), signup_date: '2025-01-17' },
  });
}

for (const line of roughEdges({ below, pick })) day.push({ at: secondOfDay(), ...line });

day.sort((a, b) => a.at - b.at);
writeFileSync(
  join(import.meta.dirname, 'day.ndjson'),
  `${day.map((line) => JSON.stringify(line)).join('\n')}\n`,
);
