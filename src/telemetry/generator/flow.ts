/** One generated connection, before it is written as a line of a Zeek log. */

import type { Prng } from '../../base/prng.ts'

export interface Flow {
  readonly time: number
  readonly source: string
  readonly sourcePort: number
  readonly destination: string
  readonly destinationPort: number
  readonly protocol: 'tcp' | 'udp' | 'icmp'
  readonly service: string
  readonly duration: number
  readonly sourceBytes: number
  readonly destinationBytes: number
  readonly state: string
  /** ATT&CK technique; absent = benign. */
  readonly technique?: string
}

/** How connections of a service look: medians and spreads (standard deviations of the logarithm). */
export interface Shape {
  readonly port: number
  readonly protocol: 'tcp' | 'udp' | 'icmp'
  /** As Zeek's protocol detection names it. */
  readonly service: string
  /** [median, spread] */
  readonly out: readonly [number, number]
  readonly in: readonly [number, number]
  readonly seconds: readonly [number, number]
  /** Share of connections that fail for ordinary reasons. */
  readonly failures: number
}

const shape = (
  port: number,
  protocol: Shape['protocol'],
  service: string,
  out: Shape['out'],
  inward: Shape['in'],
  seconds: Shape['seconds'],
  failures = 0.01,
): Shape => ({ port, protocol, service, out, in: inward, seconds, failures })

export const SHAPES = {
  dns: shape(53, 'udp', 'dns', [42, 0.3], [140, 0.6], [0.02, 1], 0.01),
  https: shape(443, 'tcp', 'ssl', [1800, 1.2], [9000, 1.8], [8, 1.8], 0.02),
  http: shape(80, 'tcp', 'http', [600, 0.8], [4000, 1.8], [1, 1.5], 0.03),
  quic: shape(443, 'udp', 'quic', [3000, 1], [20_000, 1.8], [15, 1.5], 0.02),
  smb: shape(445, 'tcp', 'gssapi,smb', [9000, 1.6], [15_000, 1.9], [20, 1.6], 0.02),
  rpc: shape(135, 'tcp', 'dce_rpc', [900, 0.5], [800, 0.5], [8, 1], 0.02),
  kerberos: shape(88, 'tcp', 'krb_tcp', [1600, 0.3], [1600, 0.4], [0.05, 0.8], 0.02),
  ldap: shape(389, 'tcp', 'ldap', [1500, 0.8], [4000, 1.2], [2, 1.5], 0.01),
  smtp: shape(25, 'tcp', 'smtp', [12_000, 1.9], [900, 0.6], [2, 1], 0.03),
  imap: shape(993, 'tcp', 'ssl', [2500, 1], [14_000, 1.8], [60, 1.8], 0.01),
  ntp: shape(123, 'udp', 'ntp', [48, 0.01], [48, 0.01], [0.03, 0.8], 0.05),
  mqtt: shape(8883, 'tcp', 'ssl', [1200, 0.4], [900, 0.4], [5, 1.2], 0.02),
  ssh: shape(22, 'tcp', 'ssh', [6000, 1.6], [9000, 1.7], [90, 2], 0.03),
  rdp: shape(3389, 'tcp', 'rdp', [60_000, 1.6], [400_000, 1.8], [400, 1.6], 0.04),
  snmp: shape(161, 'udp', 'snmp', [90, 0.3], [120, 0.5], [0.01, 1], 0.05),
  sql: shape(5432, 'tcp', '', [3000, 1.3], [20_000, 1.9], [5, 1.6], 0.01),
  printing: shape(9100, 'tcp', '', [90_000, 1.6], [120, 0.4], [8, 1.2], 0.05),
  discovery: shape(5353, 'udp', 'dns', [120, 0.5], [0, 0], [0.5, 1], 1),
} as const satisfies Record<string, Shape>

export function logNormal(random: Prng, [median, spread]: readonly [number, number]): number {
  return median * Math.exp(spread * random.normal())
}

/** Bytes beyond any link of these sites. */
const BYTES_MAX = 5e9

export const wholeBytes = (bytes: number): number => Math.floor(Math.min(BYTES_MAX, bytes))

/** An ephemeral port of the usual range. */
export const ephemeral = (random: Prng): number => 32768 + random.below(28232)

/** Whom an attempt that comes to nothing meets: nobody, or a refusal. */
export function failedState(random: Prng, protocol: string, refusals = 0.4): string {
  return protocol === 'tcp' && random.uniform() < refusals ? 'REJ' : 'S0'
}

export interface FlowOptions {
  /** Multiplies the bytes sent and received. */
  readonly out?: number
  readonly in?: number
  readonly port?: number
  readonly failures?: number
  readonly technique?: string
}

/** A connection of the given shape. */
export function flowOf(
  random: Prng,
  time: number,
  source: string,
  destination: string,
  model: Shape,
  options: FlowOptions = {},
): Flow {
  const failed = random.uniform() < (options.failures ?? model.failures)
  const answered = !failed && model.in[0] > 0
  const reset = answered && model.protocol === 'tcp' && random.uniform() < 0.08
  const base = {
    time,
    source,
    sourcePort: ephemeral(random),
    destination,
    destinationPort: options.port ?? model.port,
    protocol: model.protocol,
    service: failed ? '' : model.service,
    duration: failed ? 0 : logNormal(random, model.seconds),
    sourceBytes: failed && model.protocol === 'tcp' ? 0 : wholeBytes(logNormal(random, model.out) * (options.out ?? 1)),
    destinationBytes: answered ? wholeBytes(logNormal(random, model.in) * (options.in ?? 1)) : 0,
    state: answered ? (reset ? 'RSTO' : 'SF') : failedState(random, model.protocol),
  }
  return options.technique === undefined ? base : { ...base, technique: options.technique }
}
