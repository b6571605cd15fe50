/** A network as a JSON file: what an organisation writes down of its own. */

import { z } from 'zod'
import { fail } from '../../base/errors.ts'
import { DECOYS, EXPLOITS } from './catalogue.ts'
import { compileTopology } from './network.ts'
import type { Topology } from './topology.ts'

const name = z.string().min(1).max(64)
const names = z.array(name).max(64)
const exploits = z.array(z.enum(EXPLOITS)).max(EXPLOITS.length)
const decoys = z.array(z.enum(DECOYS)).max(DECOYS.length)
const loss = z.number().min(0).max(1e3)

const hostSchema = z.strictObject({
  name,
  subnet: name,
  role: z.enum(['foothold', 'fortress']).exactOptional(),
  services: exploits,
  systemServices: exploits.exactOptional(),
  deadServices: exploits.exactOptional(),
  decoys,
  confidentialityLoss: loss,
  availabilityLoss: loss.exactOptional(),
  reveals: names.exactOptional(),
  usedByGreen: z.boolean().exactOptional(),
  alwaysSeen: z.boolean().exactOptional(),
})

const topologySchema = z.strictObject({
  name,
  subnets: z.array(z.strictObject({ name, acceptsFrom: names })).max(8),
  slots: z.array(hostSchema.nullable()).max(64),
  target: name,
  path: z.array(z.union([z.strictObject({ scan: name }), z.strictObject({ take: name })])).max(64),
  decoyPoses: z.record(z.enum(DECOYS), exploits),
  stickyDecoys: decoys,
})

/** @throws config-invalid naming the first field that is wrong, or what the network contradicts itself in */
export function parseTopology(value: unknown): Topology {
  const parsed = topologySchema.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    fail('config-invalid', `topology: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`)
  }
  compileTopology(parsed.data)
  return parsed.data
}
