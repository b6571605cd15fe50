/** The float64 reference of every operator: to test against, not to train with. */

import { activations } from './activations.ts'
import { arithmetic, dense } from './dense.ts'
import { graph } from './graph.ts'
import { learning } from './learning.ts'
import { normalisation } from './normalise.ts'
import type { Ops } from './ops.ts'
import { recurrent } from './recurrent.ts'

export const reference: Ops = {
  name: 'the float64 reference',
  ...dense,
  ...activations,
  ...arithmetic,
  ...normalisation,
  ...graph,
  ...recurrent,
  ...learning,
}
