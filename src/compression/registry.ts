import { UserError } from '../core/errors.js';
import { nearMatches } from '../core/near-matches.js';
import type { Method } from './method.js';
import { full } from './methods/full.js';
import { h2o } from './methods/h2o.js';
import { lookMTpP } from './methods/look-m-tp-p.js';

/** Every method by name, in the order tables show them. */
export const methods = Object.freeze({
  [full.name]: full,
  [h2o.name]: h2o,
  [lookMTpP.name]: lookMTpP,
} as const satisfies Record<string, Method>);

/** @throws UserError with the near matches when the name is unknown. */
export function methodNamed(name: string, where?: string): Method {
  const known: Readonly<Record<string, Method>> = methods;
  const method = known[name];
  if (method !== undefined) return method;
  const near = nearMatches(name, Object.keys(methods));
  const hint = near.length > 0 ? `did you mean ${near.join(', ')}? ` : '';
  throw new UserError({
    what: `unknown method "${name}"`,
    ...(where === undefined ? {} : { where }),
    fix: `${hint}\`lookm list methods\` shows all`,
  });
}
