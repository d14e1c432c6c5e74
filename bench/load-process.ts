/**
 * The load generator: a process of its own, so that it can be pinned to a core of its own. Speaks
 * HTTP/1.1 on raw sockets, one request in flight per connection, bodies built before the clock
 * starts. Bounded in time; loopback only. Prints one JSON line.
 *
 * At a pace, a request that could not leave in time, because all connections waited for answers, is
 * counted from when it was due: a server that stalls cannot hide it.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadJob } from './rig.ts';

const REQUESTS_MAX = 3_000_000;
const MARK = '%ID%00000000';

const job = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as LoadJob;

/** The mark in a body becomes a fresh number of the same width, so that no two events are equal. */
const templates = job.requests.map(({ path, authorization, body }) => {
  const bytes = Buffer.from(body);
  const marks: number[] = [];
  for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, at + 1)) marks.push(at);
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: localhost:${job.port}`,
    `Authorization: ${authorization}`,
    'Content-Type: application/json',
    `Content-Length: ${bytes.length}`,
  ];
  const start = `${head.join('\r\n')}\r\n\r\n`;
  const request = Buffer.concat([Buffer.from(start), bytes]);
  return { request, marks: marks.map((mark) => mark + Buffer.byteLength(start)) };
});

// A thousand numbers a millisecond: no two runs share one.
let serial = Date.now() * 1_000;
function nextRequest(turn: number): Buffer {
  const template = templates[turn % templates.length] as (typeof templates)[number];
  // A copy: the kernel may not have taken the last one yet.
  const request = Buffer.from(template.request);
  for (const mark of template.marks) {
    serial += 1;
    request.write(serial.toString(36).padStart(MARK.length, '0'), mark, 'latin1');
  }
  return request;
}

const latencies = new Float64Array(REQUESTS_MAX);
const statuses: Record<string, number> = {};
let sent = 0;
let done = 0;
const startedAt = performance.now();
const endsAt = startedAt + job.seconds * 1000;
const pauseMs = job.requestsPerSecond === undefined ? 0 : 1000 / job.requestsPerSecond;

/** When the next request may leave, and since when its answer is waited for. */
async function nextTurn(): Promise<number> {
  const dueAt = startedAt + sent * pauseMs;
  const early = pauseMs === 0 ? 0 : dueAt - performance.now();
  sent += 1;
  if (early <= 0) return pauseMs === 0 ? performance.now() : dueAt;
  await sleep(early);
  return performance.now();
}

/** The status of the first answer in the bytes, or nothing while it is not whole. */
function readStatus(bytes: Buffer): string | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const headText = bytes.toString('latin1', 0, end);
  const length = /content-length: (\d+)/i.exec(headText);
  const whole = length
    ? bytes.length >= end + 4 + Number(length[1])
    : bytes.indexOf('0\r\n\r\n', end) >= 0;
  return whole ? headText.slice(9, 12) : undefined;
}

function driveOne(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(job.port, '127.0.0.1');
    socket.setNoDelay(true);
    let since = 0;
    let pending: Buffer = Buffer.alloc(0);
    const send = async () => {
      if (performance.now() < endsAt && sent < REQUESTS_MAX) {
        const turn = sent;
        since = await nextTurn();
        if (performance.now() < endsAt) {
          socket.write(nextRequest(turn));
          return;
        }
      }
      socket.end();
      resolve();
    };
    socket.on('connect', () => void send());
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.on('data', (chunk) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      const status = readStatus(pending);
      if (status === undefined) return;
      statuses[status] = (statuses[status] ?? 0) + 1;
      latencies[done] = performance.now() - since;
      done += 1;
      pending = Buffer.alloc(0);
      void send();
    });
  });
}

await Promise.all(Array.from({ length: job.connections }, driveOne));
const seconds = (performance.now() - startedAt) / 1000;
const sorted = latencies.subarray(0, done).sort();
const at = (share: number) => sorted[Math.min(done - 1, Math.floor(done * share))] ?? 0;
const result = { requests: done, seconds, statuses, p50: at(0.5), p99: at(0.99), max: at(1) };
process.stdout.write(`${JSON.stringify(result)}\n`);
process.disconnect?.();
