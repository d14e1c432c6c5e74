const DISK =
  /^(EACCES|EDQUOT|EIO|EMFILE|ENFILE|ENOENT|ENOSPC|ENOTDIR|EPERM|EROFS|ERR_SQLITE_ERROR)$/;

/** The disk said no. Everything else that is thrown is PostgreSQL, the keeper, or a bug. */
export const isDiskError = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  DISK.test(String(error.code)) &&
  !('syscall' in error && error.syscall === 'connect');
