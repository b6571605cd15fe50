/** Options of every command that starts a training: what for, of whom privacy is, and how updates are clipped and blurred. */

import { Option } from 'commander'
import { PURPOSE_DEFAULT } from '../../../src/learning/purpose.ts'

export const unitOption = (): Option =>
  new Option('--unit <what>', 'example: each training row is protected | organisation: all that one has').default(
    'example',
  )

export const clipOption = (): Option =>
  new Option(
    '--clip <norm[:layer|adaptive]>',
    'L2 norm that no update exceeds (default: none; 1 with --unit organisation); with :layer, each tensor of the model is clipped by itself within it; with :adaptive, the first one, moved each round to where half of the updates are not clipped',
  )

export const mechanismOption = (): Option =>
  new Option(
    '--mechanism <which>',
    'with --unit organisation: local, each adds all the noise (default) | distributed or skellam, each adds a share; needs secagg, and holds against the hub with a fifth of the organisations | central, the hub adds it to the sum; holds against all but the hub, and organisations have to allow it (noiseMechanisms)',
  )

export const purposeOption = (): Option =>
  new Option(
    '--purpose <name>',
    `what it is for: organisations may limit what each purpose takes from their data, or decline it (default: ${PURPOSE_DEFAULT})`,
  )
