/**
 * The load generator: a process of its own, so that it can be pinned to a core of its own. Speaks
 * HTTP/1.1 on raw sockets, one request in flight per connection, bodies built before the clock
 * starts. Bounded in time and count; loopback only. Prints one JSON line.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';

type Job = {
  port: number;
  path: string;
  headers: Record<string, string>;
  bodies: string[];
  connections: number;
  seconds: number;
  requestsMax: number;
};

const job = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Job;
const head = Object.entries(job.headers).map(([name, value]) => `${name}: ${value}\r\n`);

/** `%ID%` in a body becomes a fresh number of the same width, so that no two events are equal. */
const templates = job.bodies.map((body) => {
  const bytes = Buffer.from(body);
  const marks: number[] = [];
  for (let at = bytes.indexOf('%ID%00000000'); at >= 0; at = bytes.indexOf('%ID%00000000', at + 1))
    marks.push(at);
  const start = `POST ${job.path} HTTP/1.1\r\nHost: localhost:${job.port}\r\n${head.join('')}Content-Length: ${bytes.length}\r\n\r\n`;
  const request = Buffer.concat([Buffer.from(start), bytes]);
  return { request, marks: marks.map((mark) => mark + Buffer.byteLength(start)) };
});

let serial = (Date.now() % 1_000_000) * 100;
function nextRequest(turn: number): Buffer {
  const template = templates[turn % templates.length] as (typeof templates)[number];
  for (const mark of template.marks) {
    serial += 1;
    template.request.write(serial.toString(36).padStart(12, '0'), mark, 'latin1');
  }
  return template.request;
}

const latencies = new Float64Array(job.requestsMax);
const statuses: Record<string, number> = {};
let sent = 0;
let done = 0;
const startedAt = performance.now();
const endsAt = startedAt + job.seconds * 1000;

function driveOne(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(job.port, '127.0.0.1');
    socket.setNoDelay(true);
    let sentAt = 0;
    let pending: Buffer = Buffer.alloc(0);
    const send = () => {
      if (performance.now() >= endsAt || sent >= job.requestsMax) {
        socket.end();
        resolve();
        return;
      }
      sentAt = performance.now();
      // A copy: the template is written again before the kernel has taken this one.
      socket.write(Buffer.from(nextRequest(sent)));
      sent += 1;
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.on('data', (chunk) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      const headText = pending.toString('latin1', 0, end);
      const length = /content-length: (\d+)/i.exec(headText);
      const chunked = /transfer-encoding: chunked/i.test(headText);
      const whole = chunked
        ? pending.indexOf('0\r\n\r\n', end) >= 0
        : pending.length >= end + 4 + Number(length?.[1] ?? 0);
      if (!whole) return;
      const status = headText.slice(9, 12);
      statuses[status] = (statuses[status] ?? 0) + 1;
      latencies[done] = performance.now() - sentAt;
      done += 1;
      pending = Buffer.alloc(0);
      send();
    });
  });
}

await Promise.all(Array.from({ length: job.connections }, driveOne));
const seconds = (performance.now() - startedAt) / 1000;
const sorted = latencies.subarray(0, done).sort();
const at = (share: number) => sorted[Math.min(done - 1, Math.floor(done * share))] ?? 0;
process.stdout.write(
  `${JSON.stringify({ requests: done, seconds, statuses, p50: at(0.5), p99: at(0.99), max: at(1) })}\n`,
);
