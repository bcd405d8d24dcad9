import { UserError } from '../../core/errors.js';

/** A file that says something impossible about itself. */
export function damaged(path: string, what: string): UserError {
  return new UserError({ where: path, what, fix: 'the file is damaged or incomplete, download it again' });
}

/** A file that asks for what weights do not need. */
export function refused(path: string, what: string): UserError {
  return new UserError({
    where: path,
    what,
    fix: 'nothing of it was executed; use weights from a source you trust, best saved as safetensors',
  });
}
