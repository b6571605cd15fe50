/**
 * `node apps/demo-attacker.ts DIRECTORY`: the node of an organisation that lies, started by `entente demo --attack`. Another
 * program than the product's, so that the product has no switch for it.
 */

import { requireDemo, signFlipping } from './cli/demo/attacker.ts'
import { runUntilStopped } from './cli/run.ts'
import { startOrganisation } from '../src/node/start/start-organisation.ts'

const [directory = ''] = process.argv.slice(2)

try {
  await requireDemo(directory)
  const { serveControl } = await import('./api/serve.ts')
  await runUntilStopped('organisation', { json: true }, () =>
    startOrganisation(directory, { serve: serveControl, wrapTrainer: signFlipping }),
  )
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
