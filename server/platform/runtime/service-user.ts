/**
 * Whom PostgreSQL runs as. It refuses root, and its initdb refuses a user id without a name.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { childEnvironment } from './death-rope.ts';
import { runtimeProblem } from './errors.ts';

export type ServiceUser = { readonly uid: number; readonly gid: number };

const PREFERRED = ['postgres', 'troth', 'nobody'];

function lookUp(passwd: string, name: string): ServiceUser | undefined {
  const fields = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find(([user]) => user === name);
  const [uid, gid] = [Number(fields?.[2]), Number(fields?.[3])];
  return uid > 0 && gid > 0 ? { uid, gid } : undefined;
}

/**
 * Undefined for an ordinary user, who is the service user; else `postgres`, `troth` or `nobody`,
 * and when none of them exists, a user `troth` is added.
 *
 * @throws Problem child-did-not-start when no user can be found or added.
 */
export function findServiceUser(passwdFile = '/etc/passwd'): ServiceUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (let attempt = 0; attempt < 2; attempt++) {
    const passwd = readFileSync(passwdFile, 'utf8');
    for (const name of PREFERRED) {
      const found = lookUp(passwd, name);
      if (found) return found;
    }
    const args = ['--system', '--no-create-home', '--user-group', '--shell', '/bin/false', 'troth'];
    spawnSync('useradd', args, { stdio: 'ignore', env: childEnvironment() });
  }
  throw runtimeProblem(
    'child-did-not-start',
    'PostgreSQL refuses to run as root: add a user named postgres, or start as an ordinary user',
  );
}

/** Whether every directory above `path`, and `path` itself, lets this user pass. */
export function canReach(user: ServiceUser, path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    const { mode, uid, gid } = statSync(at);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (dirname(at) === at) return true;
  }
}
