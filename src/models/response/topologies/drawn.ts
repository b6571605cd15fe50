/**
 * Networks of the same kind as CAGE challenge 2's and never the same: so that a federation can be shown to defend a
 * network that none of its members has. Slots keep their meaning (enterprise first, operational, users last).
 */

import { type Prng, shuffle } from '../../../base/prng.ts'
import { type Decoy, DECOY_POSES, type Exploit } from '../catalogue.ts'
import type { Host, Topology } from '../topology.ts'

interface Profile {
  readonly services: readonly Exploit[]
  readonly systemServices: readonly Exploit[]
  readonly decoys: readonly Decoy[]
}

const LINUX_GATEWAY: Profile = {
  services: ['ssh-brute-force'],
  systemServices: [],
  decoys: ['haraka', 'apache', 'tomcat', 'vsftpd'],
}
const WINDOWS_SERVER: Profile = {
  services: ['ssh-brute-force', 'eternal-blue', 'blue-keep', 'http-rfi', 'https-rfi'],
  systemServices: ['blue-keep', 'eternal-blue'],
  decoys: ['femitter'],
}
const SERVERS: readonly Profile[] = [LINUX_GATEWAY, WINDOWS_SERVER]
const USERS: readonly Profile[] = [
  {
    services: ['ssh-brute-force', 'ftp-traversal'],
    systemServices: ['ftp-traversal'],
    decoys: ['apache', 'tomcat', 'smss', 'svchost'],
  },
  {
    services: ['eternal-blue', 'blue-keep'],
    systemServices: ['eternal-blue'],
    decoys: ['femitter', 'tomcat', 'apache', 'sshd'],
  },
  {
    services: ['sql-injection', 'https-rfi', 'http-rfi', 'haraka-rce'],
    systemServices: ['sql-injection', 'haraka-rce'],
    decoys: ['vsftpd', 'sshd'],
  },
]

/** Slots of each kind: the defender's machine, then enterprise, operational, target, foothold, users. */
const ENTERPRISE = [1, 2, 3]
const OPERATIONAL = [4, 5, 6]
const TARGET = 7
const FOOTHOLD = 8
const USER = [9, 10, 11, 12]
const SLOTS = 13

/** A network of 6 to 13 hosts in three subnets; the same stream draws the same network. */
export function drawTopology(name: string, random: Prng): Topology {
  const servers = some(ENTERPRISE, 2, random)
  const machines = some(OPERATIONAL, 0, random)
  const users = some(USER, 1, random)
  const gateway = one(servers, random)
  const entries = new Map(users.map((slot) => [slot, one(servers, random)]))
  const slots: (Host | null)[] = Array.from({ length: SLOTS }, () => null)
  slots[0] = { ...LINUX_GATEWAY, ...host('defender', 'enterprise', 1), role: 'fortress' }
  slots[TARGET] = { ...LINUX_GATEWAY, ...host('target', 'operational', 1), availabilityLoss: 10 }
  slots[FOOTHOLD] = { ...host('foothold', 'user', 0), role: 'foothold', services: [], decoys: [], usedByGreen: true }
  for (const slot of servers) {
    const reveals = slot === gateway ? ['target'] : []
    slots[slot] = { ...one(SERVERS, random), ...host(`enterprise${slot}`, 'enterprise', 1), reveals, usedByGreen: true }
  }
  for (const slot of machines) slots[slot] = { ...LINUX_GATEWAY, ...host(`operational${slot}`, 'operational', 0.1) }
  for (const [slot, entry] of entries) {
    const reveals = [`enterprise${entry}`]
    slots[slot] = { ...one(USERS, random), ...host(`user${slot}`, 'user', 0.1), reveals, usedByGreen: true }
  }
  return {
    name,
    subnets: [
      { name: 'enterprise', acceptsFrom: ['operational', 'user'] },
      { name: 'operational', acceptsFrom: ['enterprise'] },
      { name: 'user', acceptsFrom: ['enterprise', 'operational'] },
    ],
    slots,
    target: 'target',
    path: shortestPath(one(users, random), entries, gateway),
    decoyPoses: DECOY_POSES,
    stickyDecoys: [],
  }
}

function shortestPath(user: number, entries: ReadonlyMap<number, number>, gateway: number): Topology['path'] {
  const entry = entries.get(user) ?? gateway
  const through = entry === gateway ? [] : [{ scan: 'enterprise' }, { take: `enterprise${gateway}` }]
  return [{ scan: 'user' }, { take: `user${user}` }, { take: `enterprise${entry}` }, ...through, { take: 'target' }]
}

const host = (name: string, subnet: string, confidentialityLoss: number) => ({ name, subnet, confidentialityLoss })

/** At least `least` of the slots, each number of them as likely, in ascending order. */
function some(slots: readonly number[], least: number, random: Prng): number[] {
  const count = least + random.below(slots.length - least + 1)
  return shuffle([...slots], random)
    .slice(0, count)
    .sort((a, b) => a - b)
}

function one<T>(items: readonly T[], random: Prng): T {
  return items[random.below(items.length)] as T
}
