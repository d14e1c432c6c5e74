/**
 * What real traffic holds besides what was meant: browsers that object, children, people who said
 * no, answers that got lost, clients of an older release, and text that nobody should have typed.
 */
import type { Recorded, Signal } from './recording.ts';

type Draw = { below(count: number): number; pick<T>(choices: readonly T[]): T };
type Edge = Omit<Recorded, 'at'> & { at?: number };

const MINUTE = 60;
const SIGNALS: readonly Signal[] = ['sec-gpc', 'dnt', 'x-do-not-sell'];

const times = (count: number, make: (n: number) => Edge[]): Edge[] =>
  Array.from({ length: count }, (_, n) => make(n)).flat();

/** Settings pages: they decide in the first hour, before the day's events. */
function decisions(): Edge[] {
  const decide = (tenant: Recorded['tenant'], person: string, properties: Edge['properties']) => ({
    at: MINUTE,
    tenant,
    person,
    call: 'consent' as const,
    event: '',
    properties,
  });
  return [
    ...times(9, (n) => [
      decide('conducktr', `member-${n}`, { 'usage-analytics': n % 3 !== 0, recommendations: true }),
    ]),
    ...times(8, (n) => [
      decide('loopkit', `person-${40 + n}`, { 'user-research': n % 2 === 0 }),
      decide('magenta', `visitor-${n}`, { 'ecosystem-sharing': n % 4 === 0 }),
    ]),
  ];
}

function clanker({ below, pick }: Draw): Edge[] {
  const track = (event: string, properties: Edge['properties'], more: Partial<Edge> = {}) => ({
    tenant: 'clanker' as const,
    person: `operator-${below(40)}`,
    call: 'track' as const,
    event,
    properties,
    ...more,
  });
  return [
    ...times(14, () => [track('mouse_moved', { x: below(900), y: below(600) })]),
    ...times(6, (n) => [
      track(
        'agent_command',
        { agent: 'agent-3', tool: 'shell', outcome: 'done', sequence: n },
        {
          twice: true,
        },
      ),
    ]),
    ...times(3, () => [track('access', { resource: 'console', age: 15 + below(3) })]),
    ...times(8, (n) => [
      track('error', {
        code: 'E131',
        component: 'shell',
        severity: 'error',
        message: pick([
          `no route to 203.0.113.${n}`,
          `mail to lee.park${n}@example.com bounced`,
          'card 4111 1111 1111 1111 was declined',
        ]),
      }),
    ]),
    ...times(4, () => [track('agent_command', { agent: 'a'.repeat(300), tool: 'shell' })]),
  ];
}

function conducktr({ below, pick }: Draw): Edge[] {
  const track = (event: string, properties: Edge['properties'], more: Partial<Edge> = {}) => ({
    tenant: 'conducktr' as const,
    person: `member-${below(30)}`,
    call: 'track' as const,
    event,
    properties,
    ...more,
  });
  const telemetry = () => ({ feature: pick(['search', 'vault', 'rules']), action: 'open' });
  return [
    ...times(40, () => [track('telemetry', telemetry())]),
    ...times(16, () => [track('telemetry', telemetry(), { signal: 'dnt' })]),
    ...times(10, () => [track('telemetry', telemetry(), { signal: 'sec-gpc' })]),
    ...times(5, () => [track('telemetry', { ...telemetry(), age: 12 + below(2) })]),
    ...times(9, () => [track('prompt_typed', { text: 'summarise the salaries' })]),
    ...times(5, () => [track('cost', { meter: 'tool-call', units: 1 }, { twice: true })]),
    ...times(4, () => [
      track('telemetry', { feature: 'ask dana.reyes@example.com about it', action: 'open' }),
    ]),
    ...times(3, () => [track('', {}, { more: { event: { name: 'telemetry' } } })]),
  ];
}

function workorders({ below, pick }: Draw): Edge[] {
  const track = (event: string, properties: Edge['properties'], more: Partial<Edge> = {}) => ({
    tenant: 'workorders' as const,
    person: `scheduler-${below(18)}`,
    call: 'track' as const,
    event,
    properties,
    ...more,
  });
  const run = (n: number) => ({ run: `late-${n}`, automation: 'offers', platform: 'dispatchly' });
  return [
    ...times(12, (n) => [
      track('automation_step', {
        ...run(n),
        step: pick(['open', 'read', 'accept']),
        outcome: 'failed',
        error_code: pick(['sam.ortiz@example.com', 'call +1 415 555 0142', 'E-TIMEOUT']),
      }),
    ]),
    ...times(7, () => [track('screenshot_taken', { file: `shot-${below(900)}.png` })]),
    ...times(6, (n) => [track('automation_run', { ...run(n), outcome: 'done' }, { twice: true })]),
    ...times(2, () => [track('login', { outcome: 'succeeded', method: 'password', age: 17 })]),
    ...times(3, (n) => [track('', run(n), { more: { event: null } })]),
    ...times(4, (n) => [track('automation_run', { ...run(n), platform: 'p'.repeat(200) })]),
  ];
}

function magenta({ below, pick }: Draw): Edge[] {
  const track = (event: string, properties: Edge['properties'], more: Partial<Edge> = {}) => ({
    tenant: 'magenta' as const,
    person: `visitor-${below(90)}`,
    call: 'track' as const,
    event,
    properties,
    ...more,
  });
  const press = () => ({ path: '/pricing', category: 'cta', label: pick(['Try it', 'Call us']) });
  return [
    ...times(18, () => [track('button_pressed', press(), { signal: 'sec-gpc' })]),
    ...times(7, () => [track('button_pressed', press(), { twice: true })]),
    ...times(8, () => [
      track('form_sent', { path: '/contact', label: `write to kim.${below(99)}@example.com` }),
    ]),
    ...times(6, () => [track('button_pressed', { ...press(), fingerprint: 'c41f', scroll: 71 })]),
    ...times(3, () => [track('Called 415 555 0134 back', press())]),
    ...times(3, () => [track('', press(), { more: { event: 17 } })]),
    ...times(4, () => [track('form_sent', { path: '/contact', label: 'so '.repeat(120) })]),
  ];
}

function loopkit({ below }: Draw): Edge[] {
  const track = (event: string, properties: Edge['properties'], more: Partial<Edge> = {}) => ({
    tenant: 'loopkit' as const,
    person: `person-${40 + below(8)}`,
    call: 'track' as const,
    event,
    properties,
    ...more,
  });
  const answer = () => ({ study: 'onboarding', question: 'q2', choice: 'yes', score: below(6) });
  const named = (mode: string, traits: object) =>
    track('', {}, { more: { type: 'identify', traits, context: { mode } } });
  return [
    ...times(20, () => [track('survey_answered', answer())]),
    ...times(24, (n) => [
      track('survey_answered', answer(), { signal: SIGNALS[n % SIGNALS.length] ?? 'dnt' }),
    ]),
    ...times(6, () => [
      track('survey_answered', answer(), { more: { context: { scope: 'minimal' } } }),
    ]),
    ...times(5, () => [track('feature_used', { feature: 'filter' }, { twice: true })]),
    ...times(4, (n) => [named('pseudonymous', { email: `new-${n}@example.com` })]),
    ...times(3, (n) => [named('identified', { email: `also-${n}@example.com` })]),
    ...times(3, () => [named('anonymous', { plan: 'pro' })]),
    ...times(4, () => [named('pseudonymous', { plan: 'free', organization: 'Acme Corp' })]),
    ...times(3, () => [track('Called 415 555 0177 back', { feature: 'share' })]),
    ...times(4, () => [track('feature_used', { feature: 'export '.repeat(30) })]),
  ];
}

/** All of it, drawn with the day's own dice. */
export const roughEdges = (draw: Draw): Edge[] => [
  ...decisions(),
  ...clanker(draw),
  ...conducktr(draw),
  ...workorders(draw),
  ...magenta(draw),
  ...loopkit(draw),
];
