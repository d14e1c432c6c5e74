/**
 * postgres.js, with what it does when a connection is lost, and how it sends bytes, put right as it
 * is loaded.
 *
 * As published (3.4.9) it ends the whole process, uncatchably, when a transaction or a reserved
 * connection is used after PostgreSQL died: the rollback that it sends by itself is enough. It also
 * lets such a late query run on the connection that took the place of the lost one, inside somebody
 * else's transaction, and loses a connection with each reservation that fails. Here a transaction
 * that lost its connection is over: each later query of it is refused. @see
 * github.com/porsager/postgres issues 1066, 1154 and 1208, open at this version.
 *
 * A patched copy was rejected because `npm ci` would not check it against the registry's digest;
 * an `uncaughtException` handler, because the query would then never be settled.
 */
import { registerHooks } from 'node:module';

type Repair = readonly [published: string, mended: string];

const CONNECTION: readonly Repair[] = [
  [
    '    const x = socket.write(chunk, fn)\n',
    `    if (socket === null) {
      clearImmediate(nextWriteTimer)
      chunk = nextWriteTimer = null
      error(Errors.connection('CONNECTION_CLOSED', options))
      return true
    }
    const x = socket.write(chunk, fn)
`,
  ],
  // What was not written yet would be written before the greeting of the next connection.
  [
    "    clearImmediate(nextWriteTimer)\n    socket.removeListener('data', data)\n",
    `    clearImmediate(nextWriteTimer)
    chunk = nextWriteTimer = null
    socket.removeListener('data', data)
`,
  ],
  // A query that was sent between the socket's error and its end would wait for ever, and so would
  // whoever ends the pool.
  [
    '    !hadError && (query || sent.length) && error(',
    '    const unsettled = query || sent.length\n    unsettled && error(',
  ],
  [
    '    closedTime = performance.now()\n    hadError &&',
    '    query = null\n    closedTime = performance.now()\n    hadError &&',
  ],
  // Bytes go as they are. As published they go as hexadecimal text, which is twice as long and
  // costs both ends more than the insert itself.
  [
    '.str(statement + b.N).i16(0).i16(parameters.length)\n',
    `.str(statement + b.N).i16(parameters.length)
    const binary = (x, i) => types[i] === 17 && x instanceof Uint8Array
    parameters.forEach((x, i) => b.i16(binary(x, i) ? 1 : 0))
    b.i16(parameters.length)
`,
  ],
  [
    '      type = types[i]\n      parameters[i]',
    `      if (binary(x, i))
        return b.i32(x.length).raw(x)

      type = types[i]
      parameters[i]`,
  ],
];

const POOL: readonly Repair[] = [
  // A reservation that failed stayed in the queue, and the next connection was given to nobody.
  [
    '        const query = { reserve: resolve, reject }\n',
    `        const query = {
          reserve: resolve,
          reject: (e) => (queries.remove(query), reject(e))
        }
`,
  ],
  // One that waited while a connection was lost left the queue, and was never served.
  [
    '    queries.length && connect(c, queries.shift())\n',
    `    if (queries.length) {
      const next = queries.shift()
      next.reserve && queries.push(next)
      connect(c, next)
    }
`,
  ],
  [
    '    c.reserved.release = true\n',
    `    c.reserved.release = true
    let lost
    c.onclose = (e) => {
      lost = e
      while (queue.length) queue.shift().reject(e)
    }
`,
  ],
  [
    '      c.reserved = null\n      onopen(c)\n',
    '      if (lost) return\n      c.onclose = c.reserved = null\n      onopen(c)\n',
  ],
  [
    '      c.queue === full\n        ? queue.push(q)',
    '      lost ? q.reject(lost) : c.queue === full\n        ? queue.push(q)',
  ],
  ['      , prepare = null\n', '      , prepare = null\n      , lost\n'],
  [
    'new Promise((_, reject) => connection.onclose = reject)',
    `new Promise((_, reject) => {
          connection.onclose = (e) => {
            lost = e
            while (queries.length) queries.shift().reject(e)
            reject(e)
          }
        })`,
  ],
  [
    '        c.queue === full\n          ? queries.push(q)',
    '        lost ? q.reject(lost) : c.queue === full\n          ? queries.push(q)',
  ],
];

const REPAIRS = new Map([
  ['/postgres/src/connection.js', CONNECTION],
  ['/postgres/src/index.js', POOL],
]);

/** @throws Error when the text is not that of the version which this was written for. */
function mend(source: string, repairs: readonly Repair[], url: string): string {
  return repairs.reduce((text, [published, mended]) => {
    const parts = text.split(published);
    if (parts.length !== 2) throw new Error(`${url} is not postgres.js 3.4.9: read driver.ts`);
    return parts.join(mended);
  }, source);
}

const hooks = registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    const found = [...REPAIRS].find(([file]) => url.endsWith(file));
    if (!found) return loaded;
    const source = mend(Buffer.from(loaded.source as Uint8Array).toString(), found[1], url);
    return { ...loaded, source };
  },
});
const { default: published } = await import('postgres');
hooks.deregister();

export const postgres = published;
