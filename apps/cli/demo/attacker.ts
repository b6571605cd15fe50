/** An organisation that lies, for the demo and nothing else. */

import { fail } from '../../../src/base/errors.ts'
import { readConfig } from '../../../src/node/config.ts'
import type { Trainer } from '../../../src/node/ports.ts'
import { DEMO_FEDERATION } from './federation.ts'

/** How much longer than an honest update the lie is: as long, it would only take back what one of the others learned. */
const SCALE = 3

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost'])

/** @throws forbidden for the directory of any node that is not one of a demo on this machine */
export async function requireDemo(directory: string): Promise<void> {
  const config = await readConfig(directory)
  const isDemo =
    config.role === 'organisation' &&
    config.federation === DEMO_FEDERATION &&
    config.hub.urls.every((url) => LOOPBACK.has(new URL(url).hostname))
  if (!isDemo)
    fail('forbidden', `${directory} is not an organisation of a demo on this machine: nobody else is lied to`)
}

/** Trains as it should, and answers as if it had learned the opposite. */
export function signFlipping(trainer: Trainer): Trainer {
  return {
    ...trainer,
    async train(request) {
      const { parameters, summary } = await trainer.train(request)
      const flipped = parameters.map((value, i) => {
        const base = request.parameters[i] ?? 0
        return base - SCALE * (value - base)
      })
      return { parameters: flipped, summary }
    },
  }
}
