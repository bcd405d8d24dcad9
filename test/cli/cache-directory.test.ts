import { expect, test } from 'vitest';
import { cacheDirectory } from '../../src/cli/cache-directory.js';

test.each([
  [{ LOOKM_CACHE: '/a', XDG_CACHE_HOME: '/b', HOME: '/c' }, '/a/bundles'],
  [{ XDG_CACHE_HOME: '/b', HOME: '/c' }, '/b/lookm/bundles'],
  [{ XDG_CACHE_HOME: 'relative', HOME: '/c' }, '/c/.cache/lookm/bundles'],
  [{ LOOKM_CACHE: '', HOME: '/c' }, '/c/.cache/lookm/bundles'],
])('the cache of bundles under %j is %s', (env, expected) => {
  expect(cacheDirectory(env, 'bundles')).toBe(expected);
});
