/** A checked topology in the form that stepping reads: numbers by slot, exploits as bits of one byte. */

import { fail } from '../../base/errors.ts'
import { type Decoy, type Exploit, EXPLOITS, exploitMask } from './catalogue.ts'
import type { Host, PathLeg, Topology } from './topology.ts'

/** A decoy of a host: the one exploit that it poses for, as a bit. */
export interface PlacedDecoy {
  readonly decoy: Decoy
  readonly pose: number
  readonly sticky: boolean
}

export interface Leg {
  readonly kind: 'scan' | 'take'
  readonly at: number
}

export interface Network {
  readonly name: string
  readonly slots: number
  readonly hosts: readonly (Host | null)[]
  readonly present: readonly boolean[]
  /** Slots of each subnet, and the subnet of each slot (-1: empty). */
  readonly members: readonly (readonly number[])[]
  readonly subnetOf: Int8Array
  /** Bit s of reachFrom[t]: hosts of subnet s may connect into subnet t. */
  readonly reachFrom: Uint8Array
  readonly services: Uint8Array
  readonly systemServices: Uint8Array
  readonly deadServices: Uint8Array
  readonly decoys: readonly (readonly PlacedDecoy[])[]
  readonly reveals: readonly (readonly number[])[]
  readonly confidentialityLoss: Float64Array
  readonly availabilityLoss: Float64Array
  readonly foothold: number
  readonly target: number
  readonly path: readonly Leg[]
  readonly green: readonly number[]
}

const SLOTS_MAX = 64
const SUBNETS_MAX = 8

/** Compiles a topology; `config-invalid` says what contradicts itself. */
export function compileTopology(topology: Topology): Network {
  const hosts = topology.slots
  const refuse = (reason: string): never => fail('config-invalid', `topology ${topology.name}: ${reason}`)
  if (hosts.length < 1 || hosts.length > SLOTS_MAX) refuse(`has ${hosts.length} slots, not 1 to ${SLOTS_MAX}`)
  if (topology.subnets.length > SUBNETS_MAX) refuse(`has more than ${SUBNETS_MAX} subnets`)
  const present = hosts.filter((host) => host !== null)
  const indexIn = (names: readonly (string | undefined)[], name: string, what: string): number => {
    const index = names.indexOf(name)
    return index >= 0 && names.lastIndexOf(name) === index ? index : refuse(`there is not one ${what} named ${name}`)
  }
  const slotNames = hosts.map((host) => host?.name)
  const slotOf = (name: string): number => indexIn(slotNames, name, 'host')
  const subnetNames = topology.subnets.map((subnet) => subnet.name)
  const subnetOf = (name: string): number => indexIn(subnetNames, name, 'subnet')
  const footholds = present.filter((host) => host.role === 'foothold')
  if (footholds.length !== 1) refuse(`has ${footholds.length} footholds, not one`)
  for (const host of present) checkHost(host, topology.target, refuse)

  return {
    name: topology.name,
    slots: hosts.length,
    hosts,
    present: hosts.map((host) => host !== null),
    members: subnetNames.map((name) => hosts.flatMap((host, slot) => (host?.subnet === name ? [slot] : []))),
    subnetOf: Int8Array.from(hosts, (host) => (host === null ? -1 : subnetOf(host.subnet))),
    reachFrom: Uint8Array.from(topology.subnets, (subnet) =>
      subnet.acceptsFrom.reduce((mask, name) => mask | (1 << subnetOf(name)), 1 << subnetOf(subnet.name)),
    ),
    services: Uint8Array.from(hosts, (host) => exploitMask(host?.services ?? [])),
    systemServices: Uint8Array.from(hosts, (host) => exploitMask(host?.systemServices ?? [])),
    deadServices: Uint8Array.from(hosts, (host) => exploitMask(host?.deadServices ?? [])),
    decoys: hosts.map((host) => (host === null ? [] : fittingDecoys(host, topology))),
    reveals: hosts.map((host) => (host?.reveals ?? []).map(slotOf)),
    confidentialityLoss: Float64Array.from(hosts, (host) => host?.confidentialityLoss ?? 0),
    availabilityLoss: Float64Array.from(hosts, (host) => host?.availabilityLoss ?? 0),
    foothold: hosts.findIndex((host) => host?.role === 'foothold'),
    target: slotOf(topology.target),
    path: topology.path.map((leg) => compileLeg(leg, slotOf, subnetOf)),
    green: hosts.flatMap((host, slot) => (host?.usedByGreen === true ? [slot] : [])),
  }
}

function checkHost(host: Host, target: string, refuse: (reason: string) => never): void {
  const open = exploitMask(host.services)
  const named = exploitMask([...(host.systemServices ?? []), ...(host.deadServices ?? [])])
  if ((named & ~open) !== 0) refuse(`${host.name} names a service that it does not run`)
  if (new Set(host.decoys).size !== host.decoys.length) refuse(`${host.name} names a decoy twice`)
  const losses = [host.confidentialityLoss, host.availabilityLoss ?? 0]
  if (!losses.every((loss) => loss >= 0 && loss < Infinity))
    refuse(`a loss of ${host.name} is not a finite number >= 0`)
  if (host.availabilityLoss !== undefined && host.name !== target) refuse(`${host.name} is not the target of an impact`)
}

/**
 * Decoys in order, each with the first of its poses that neither a real service nor a decoy before it answers; one
 * without such a pose does not fit.
 */
function fittingDecoys(host: Host, topology: Topology): PlacedDecoy[] {
  const answered = new Set<Exploit>(host.services)
  return host.decoys.flatMap((decoy) => {
    const pose = topology.decoyPoses[decoy]
      .toSorted((a, b) => EXPLOITS.indexOf(a) - EXPLOITS.indexOf(b))
      .find((exploit) => !answered.has(exploit))
    if (pose === undefined) return []
    answered.add(pose)
    return [{ decoy, pose: exploitMask([pose]), sticky: topology.stickyDecoys.includes(decoy) }]
  })
}

function compileLeg(leg: PathLeg, slotOf: (name: string) => number, subnetOf: (name: string) => number): Leg {
  return 'scan' in leg ? { kind: 'scan', at: subnetOf(leg.scan) } : { kind: 'take', at: slotOf(leg.take) }
}
