/** graphile-worker's own words, into ours. It logs whole jobs as metadata: those are payloads, and are left out. */

import { Logger as GraphileLogger } from 'graphile-worker'
import type { Logger } from '../logging.ts'

const LEVELS = { error: 'error', warning: 'warn', info: 'debug', debug: 'trace' } as const

export function graphileLogger(logger: Logger): GraphileLogger {
  return new GraphileLogger((scope) => (level, message) => {
    logger[LEVELS[level as keyof typeof LEVELS] ?? 'debug']({ part: scope.label ?? 'jobs' }, message.split('\n')[0])
  })
}
