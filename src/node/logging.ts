/**
 * Structured logs, one JSON object a line. What may never be in them is removed by name here, once, because a careless
 * `log.info({ envelope })` somewhere else must not hand payloads, keys or passwords to whoever reads the logs.
 */

import { type DestinationStream, type Logger, pino } from 'pino'

export type { Logger } from 'pino'

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const NEVER_LOGGED = [
  'password',
  'token',
  'secret',
  'secretKey',
  'privateKey',
  'key',
  'body',
  'payload',
  'connectionString',
  'url',
]

export interface LoggerOptions {
  readonly level: LogLevel
  /** Constant fields of every line, e.g. `{ role: 'hub', federation: 'isac.example' }`. */
  readonly fields?: Readonly<Record<string, string>>
  /** Where the lines go; standard error unless told, so that standard output stays with the results of commands. */
  readonly destination?: DestinationStream
}

export function createLogger(options: LoggerOptions): Logger {
  const paths = NEVER_LOGGED.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])
  return pino(
    { level: options.level, base: { pid: process.pid, ...options.fields }, redact: { paths, censor: '[removed]' } },
    options.destination ?? pino.destination({ dest: 2, sync: true }),
  )
}

/** For tests and for commands whose output is something else. */
export const silentLogger: Logger = pino({ level: 'silent' })
