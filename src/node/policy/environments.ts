/** From an organisation's configuration to the environments that its policy learns in. */

import { readFile } from 'node:fs/promises'
import { fail } from '../../base/errors.ts'
import { prng } from '../../base/prng.ts'
import { createEnvironment, type Environment } from '../../models/response/environment.ts'
import { CAGE2, CAGE2_REPAIRED } from '../../models/response/topologies/cage2.ts'
import { drawTopology } from '../../models/response/topologies/drawn.ts'
import { type Topology, withSlots } from '../../models/response/topology.ts'
import { parseTopology } from '../../models/response/topology-file.ts'
import type { ResponseConfig } from './response-config.ts'

/** One per attacker. @throws config-invalid, not-found */
export async function openEnvironments(config: ResponseConfig): Promise<Environment[]> {
  const topology = withSlots(await openTopology(config.topology), config.slots)
  const { steps, removal } = config
  return [config.attacker].flat().map((red) => createEnvironment({ topology, red, steps, removal }))
}

/** @throws config-invalid, not-found */
export async function openTopology(name: string): Promise<Topology> {
  if (name === CAGE2.name) return CAGE2
  if (name === CAGE2_REPAIRED.name) return CAGE2_REPAIRED
  return name.endsWith('.json') ? readTopology(name) : drawTopology(name, prng(`topology/${name}`))
}

async function readTopology(path: string): Promise<Topology> {
  const text = await readFile(path, 'utf8').catch(() => fail('not-found', `the topology ${path} cannot be read`))
  try {
    return parseTopology(JSON.parse(text))
  } catch (error) {
    if (error instanceof SyntaxError) fail('config-invalid', `${path} is not JSON: ${error.message}`)
    throw error
  }
}
