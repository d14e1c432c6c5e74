/** What became of each tenant's events, from the server's own answers. */
import type { Answer, Counts } from '../sdk/index.ts';
import type { Recorded } from './recording.ts';

export type Tenant = Recorded['tenant'];

export type Line = {
  recorded: number;
  accepted: number;
  refused: number;
  dropped: Record<string, number>;
  /** What the SDK never sent, for want of a yes or of leave to name somebody. */
  keptBack: Record<string, number>;
  failed: number;
};

type Told = { accepted?: number; dropped?: Record<string, number>; refused?: unknown[] };

export class Tally {
  readonly lines = new Map<Tenant, Line>();

  of(tenant: Tenant): Line {
    const known = this.lines.get(tenant);
    if (known) return known;
    const line = { recorded: 0, accepted: 0, refused: 0, dropped: {}, keptBack: {}, failed: 0 };
    this.lines.set(tenant, line);
    return line;
  }

  heard(tenant: Tenant, { call, status, events, body }: Answer): void {
    const line = this.of(tenant);
    if (call === 'consents') {
      if (status >= 400) line.failed += 1;
      return;
    }
    const { accepted = 0, dropped = {}, refused = [] } = (body ?? {}) as Told;
    if (status === 0 || status >= 500 || status === 429) return;
    line.accepted += accepted;
    line.refused += refused.length || (status >= 400 ? events : 0);
    add(line.dropped, dropped);
  }

  keptBack(tenant: Tenant, { dropped }: Counts): void {
    const { 'refused-by-server': _, ...never } = dropped;
    add(this.of(tenant).keptBack, never);
  }

  total(): { accepted: number; refused: number; dropped: number } {
    let accepted = 0;
    let refused = 0;
    let dropped = 0;
    for (const line of this.lines.values()) {
      accepted += line.accepted;
      refused += line.refused;
      dropped += sum(line.dropped);
    }
    return { accepted, refused, dropped };
  }

  table(): string {
    const rows = [...this.lines].sort().map(([tenant, line]) => {
      const { recorded, accepted, refused, failed } = line;
      const numbers = [recorded, accepted, refused].map((n) => String(n).padStart(9)).join('');
      const notes = [
        ...said('dropped', line.dropped),
        ...said('kept back by the SDK', line.keptBack),
        ...(failed > 0 ? [`${failed} consent calls failed`] : []),
      ];
      return [`  ${tenant.padEnd(11)}${numbers}`, ...notes.map((note) => `      ${note}`)].join(
        '\n',
      );
    });
    return [`  ${''.padEnd(11)}   events accepted  refused`, ...rows].join('\n');
  }
}

const sum = (counts: Record<string, number>) =>
  Object.values(counts).reduce((total, count) => total + count, 0);

function add(to: Record<string, number>, from: Record<string, number | undefined>): void {
  for (const [name, count] of Object.entries(from)) to[name] = (to[name] ?? 0) + (count ?? 0);
}

const said = (what: string, counts: Record<string, number>) => {
  const reasons = Object.entries(counts).map(([reason, count]) => `${reason} ${count}`);
  return reasons.length > 0 ? [`${what}: ${reasons.join(', ')}`] : [];
};
