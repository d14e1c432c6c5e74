/** Builds what is published: `dist/`, for bundlers, for Node and for a script tag. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, buildSync } from 'esbuild';

const HERE = import.meta.dirname;
/** What a page may have to load for a script tag, compressed, in bytes. */
export const GZIP_BYTES_MAX = 6_000;

export type Built = { file: string; bytes: number; gzipBytes: number };

/** Writes the bundles into a folder and measures them. */
export function buildBundles(folder: string): Built[] {
  const bundle = (file: string, entry: string, options: BuildOptions): Built => {
    const outfile = join(folder, file);
    buildSync({
      entryPoints: [join(HERE, entry)],
      outfile,
      bundle: true,
      minify: true,
      target: 'es2022',
      legalComments: 'none',
      logLevel: 'warning',
      ...options,
    });
    const bytes = readFileSync(outfile);
    return { file, bytes: bytes.length, gzipBytes: gzipSync(bytes, { level: 9 }).length };
  };
  const script = (file: string, name: string, tenant: string) =>
    bundle(file, 'script.ts', {
      format: 'iife',
      define: { GLOBAL_NAME: JSON.stringify(name), TENANT: JSON.stringify(tenant) },
    });
  return [
    bundle('index.js', 'index.ts', { format: 'esm' }),
    script('troth.js', 'LoopKit', 'loopkit'),
    script('magenta.js', 'magenta', 'magenta'),
  ];
}

/** Writes the declarations beside the bundles; false when the types are wrong. */
export function writeTypes(folder: string): boolean {
  const options = '--noEmit false --declaration --emitDeclarationOnly'.split(' ');
  const project = join(HERE, 'tsconfig.build.json');
  const { status } = spawnSync(
    process.execPath,
    [
      join(HERE, '../node_modules/typescript/bin/tsc'),
      '-p',
      project,
      ...options,
      '--outDir',
      folder,
    ],
    { stdio: 'inherit' },
  );
  return status === 0;
}

if (import.meta.main) {
  const folder = join(HERE, 'dist');
  rmSync(folder, { recursive: true, force: true });
  for (const { file, bytes, gzipBytes } of buildBundles(folder)) {
    console.log(`  ${file.padEnd(12)} ${bytes} B, ${gzipBytes} B gzip`);
  }
  if (!writeTypes(folder)) process.exitCode = 1;
}
