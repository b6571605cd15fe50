/** FedAdam, Reddi et al. 2021, Algorithm 2: v = beta2 * v + (1 - beta2) * delta^2. */

import { adaptive } from './adaptive.ts'

export const fedadam = adaptive('fedadam', (v, squaredDelta, { beta2 }) => beta2 * v + (1 - beta2) * squaredDelta)
