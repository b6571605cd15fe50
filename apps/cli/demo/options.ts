/** What `entente demo` takes, checked. */

import { fail } from '../../../src/base/errors.ts'

export const STRATEGIES = ['fedavg', 'fedprox', 'fedavgm', 'fedadam', 'fedyogi', 'fedadagrad'] as const
export type StrategyName = (typeof STRATEGIES)[number]

export interface DemoOptions {
  readonly orgs: number
  readonly rounds: number
  readonly data?: string
  readonly strategy: StrategyName
  readonly labels: 'own' | 'all'
  readonly seed: number
  /** Where the JSON report goes. */
  readonly json?: string
  /** Directory that stays. */
  readonly keep?: string
  /** Leave the federation running until interrupted. */
  readonly serve: boolean
}

/** The options as commander hands them over. */
export interface RawDemoOptions {
  readonly orgs: string
  readonly rounds: string
  readonly data?: string
  readonly strategy: string
  readonly labels: string
  readonly seed: string
  readonly json?: string
  readonly keep?: string
  readonly serve?: boolean
}

/** @throws config-invalid naming the option and what it takes. */
export function parseDemoOptions(raw: RawDemoOptions): DemoOptions {
  const strategy = STRATEGIES.find((name) => name === raw.strategy)
  if (strategy === undefined) fail('config-invalid', `--strategy takes one of ${STRATEGIES.join(', ')}`)
  if (raw.labels !== 'own' && raw.labels !== 'all') fail('config-invalid', '--labels takes own or all')
  return {
    orgs: wholeNumber('--orgs', raw.orgs, 1, 26),
    rounds: wholeNumber('--rounds', raw.rounds, 1, 1000),
    strategy,
    labels: raw.labels,
    seed: wholeNumber('--seed', raw.seed, 0, 2 ** 32 - 1),
    serve: raw.serve === true,
    ...(raw.data === undefined ? {} : { data: raw.data }),
    ...(raw.json === undefined ? {} : { json: raw.json }),
    ...(raw.keep === undefined ? {} : { keep: raw.keep }),
  }
}

export function wholeNumber(name: string, value: string, min: number, max: number): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < min || number > max || value.trim() === '')
    fail('config-invalid', `${name} takes a whole number from ${min} to ${max}, not "${value}"`)
  return number
}
