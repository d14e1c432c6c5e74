/** The bodies that are sent. `%ID%00000000` becomes a fresh number in each event. */

const PAGES = ['/dashboard', '/reports', '/settings', '/billing', '/team', '/docs'];
const MESSAGE = 'm-%ID%00000000';

/** A page view of LoopKit's printed sample: nothing in it is personal, so nothing is sealed. */
const pageView = (person: number) => ({
  type: 'track',
  messageId: MESSAGE,
  anonymousId: `anonymous-${person}`,
  event: 'page_view',
  properties: { page: PAGES[person % PAGES.length], section: 'analytics', time_spent: person % 90 },
  context: { userAgent: 'Mozilla/5.0 (X11; Linux x64) Chrome/141.0.0.0 Safari/537.36' },
});

/** An agent command of CLANKER.WORKS: its arguments are sealed under the subject's key. */
const agentCommand = (person: number) => ({
  type: 'track',
  messageId: MESSAGE,
  userId: `operator-${person}`,
  event: 'agent_command',
  properties: {
    tool: 'shell',
    arguments: `{"cwd":"/srv/${person}","argv":["ls"]}`,
    outcome: 'done',
  },
});

const count = (length: number) => Array.from({ length }, (_, index) => index);

export const BATCH = 100;

export const sealedSingles = count(500).map((person) => JSON.stringify(agentCommand(person)));
export const clearSingles = count(500).map((person) => JSON.stringify(pageView(person)));

/** Batches of a hundred events, each event of another person. */
export const sealedBatches = (people: number) =>
  count(people / BATCH).map((turn) =>
    JSON.stringify({ batch: count(BATCH).map((n) => agentCommand(turn * BATCH + n)) }),
  );
