/**
 * `GET /metrics`, in Prometheus' text format 0.0.4.
 *
 * Figures about the installation: names of services, promises, jobs and drop reasons, and nothing
 * of a person. On loopback anyone who has the machine may read it; over TLS it wants the operator.
 */
import { Hono } from 'hono';
import type { DomainRoutes, Edge } from './edge.ts';
import { operatorOnly } from './tenant-routes.ts';

export type Sample = {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
};

export type Metric = {
  /** `troth_` and words; a counter ends in `_total`, a unit stands last. */
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly samples: readonly Sample[];
};

const escaped = (text: string) =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

function line(name: string, { labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`;
}

/** @returns the exposition, ending with a line feed. */
export function renderMetrics(metrics: readonly Metric[]): string {
  const blocks = metrics.map(({ name, help, type, samples }) =>
    [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...samples.map((sample) => line(name, sample)),
    ].join('\n'),
  );
  return `${blocks.join('\n')}\n`;
}

/** @param read  What is measured, at the moment of asking. */
export function metricsRoutes(read: () => Promise<readonly Metric[]>): DomainRoutes {
  const routes = new Hono<Edge>();
  routes.get('/metrics', async (c) => {
    if (c.var.secure) operatorOnly(c);
    c.header('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    c.header('cache-control', 'no-store');
    return c.body(renderMetrics(await read()));
  });
  return { name: 'metrics', routes };
}
