const QUIET = ['--disable-warning=ExperimentalWarning']

/**
 * Of processes that stay: a node is mostly idle, and what it trains on lies outside the V8 heap; at its default of 16 MB a
 * semi-space the young generation would cost it some 40 MB. The cache of compiled code is keyed by these flags.
 * @type {readonly string[]}
 */
export const NODE_FLAGS = [...QUIET, '--max-semi-space-size=4', '--optimize-for-size']

/** Commands that work through logs keep V8's defaults, which make them faster. @param {string | undefined} command */
export function flagsOf(command = '') {
  return ['hub', 'org', 'demo'].includes(command) ? NODE_FLAGS : QUIET
}
