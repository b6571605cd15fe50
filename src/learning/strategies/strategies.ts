/** The strategies by name. */

import type { StrategyName } from '../config.ts'
import { fedadagrad } from './fedadagrad.ts'
import { fedadam } from './fedadam.ts'
import { fedavg } from './fedavg.ts'
import { fedavgm } from './fedavgm.ts'
import { fedprox } from './fedprox.ts'
import { fedyogi } from './fedyogi.ts'
import type { Strategy } from './strategy.ts'

export const STRATEGIES: Readonly<Record<StrategyName, Strategy>> = {
  fedavg,
  fedprox,
  fedavgm,
  fedadam,
  fedyogi,
  fedadagrad,
}
