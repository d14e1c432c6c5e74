/**
 * The child that is ClickHouse: hands the thread over to the engine inside the library, which
 * listens on loopback until it is told to end.
 *
 * A process of its own, because the engine takes the whole libuv pool and can take its process
 * down; never a worker thread (measured: a crash at exit, a hang with two).
 */
import { flushCompileCache } from 'node:module';
import { setPriority } from 'node:os';
import { DataType, load, open } from 'ffi-rs';

/** A sender waits for the server's answer; nobody waits for an insert or a merge. 0 is usual. */
const NICENESS = 5;

// Before the engine starts its threads: they inherit it.
setPriority(NICENESS);
// The thread does not come back from the engine when this process is ended.
flushCompileCache();
const [library, ...args] = process.argv.slice(2);
open({ library: 'chdb', path: library ?? '' });
load({
  library: 'chdb',
  funcName: 'chdb_query_cmdline',
  retType: DataType.External,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [args.length, args],
});
process.exit(0);
