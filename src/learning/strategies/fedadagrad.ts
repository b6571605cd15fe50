/** FedAdagrad, Reddi et al. 2021, Algorithm 2: v = v + delta^2. */

import { adaptive } from './adaptive.ts'

export const fedadagrad = adaptive('fedadagrad', (v, squaredDelta) => v + squaredDelta)
