/** FedYogi, Reddi et al. 2021, Algorithm 2: v = v - (1 - beta2) * delta^2 * sign(v - delta^2). */

import { adaptive } from './adaptive.ts'

export const fedyogi = adaptive(
  'fedyogi',
  (v, squaredDelta, { beta2 }) => v - (1 - beta2) * squaredDelta * Math.sign(v - squaredDelta),
)
