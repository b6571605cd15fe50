/** Connections as lines of a Zeek conn.log, with `label` and `technique` columns. */

import { type Prng, prng } from '../../base/prng.ts'
import type { Interaction } from '../interaction.ts'
import type { Flow } from './flow.ts'

const FIELDS: readonly (readonly [string, string])[] = [
  ['ts', 'time'],
  ['uid', 'string'],
  ['id.orig_h', 'addr'],
  ['id.orig_p', 'port'],
  ['id.resp_h', 'addr'],
  ['id.resp_p', 'port'],
  ['proto', 'enum'],
  ['service', 'string'],
  ['duration', 'interval'],
  ['orig_bytes', 'count'],
  ['resp_bytes', 'count'],
  ['conn_state', 'string'],
  ['local_orig', 'bool'],
  ['local_resp', 'bool'],
  ['missed_bytes', 'count'],
  ['orig_pkts', 'count'],
  ['resp_pkts', 'count'],
  ['label', 'string'],
  ['technique', 'string'],
]

export const ZEEK_HEADER: readonly string[] = [
  '#separator \\x09',
  '#set_separator\t,',
  '#empty_field\t(empty)',
  '#unset_field\t-',
  '#path\tconn',
  `#fields\t${FIELDS.map(([name]) => name).join('\t')}`,
  `#types\t${FIELDS.map(([, type]) => type).join('\t')}`,
]

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** As Zeek writes its ids: a C and base 62. */
function uid(random: Prng): string {
  let id = 'C'
  for (let i = 0; i < 4; i++) {
    for (let bits = random.u32(), k = 0; k < 4; k++, bits = Math.floor(bits / 62)) id += ALPHABET.charAt(bits % 62)
  }
  return id
}

/** T or F by address, remembered. */
function localFlags(isLocal: (address: string) => boolean): (address: string) => string {
  const known = new Map<string, string>()
  return (address) => {
    const hit = known.get(address)
    if (hit !== undefined) return hit
    if (known.size > 1 << 16) known.clear()
    const flag = isLocal(address) ? 'T' : 'F'
    known.set(address, flag)
    return flag
  }
}

/** What a sensor would have seen of a generated flow: of an unanswered attempt, neither duration nor an answer. */
export function interactionOf(flow: Flow): Interaction {
  const { time, source, sourcePort, destination, destinationPort, protocol, service, state, technique } = flow
  const answered = state !== 'S0'
  const packets = (bytes: number): number => (answered ? 3 : 0) + Math.ceil(bytes / 1400)
  return {
    time,
    source,
    sourcePort,
    destination,
    destinationPort,
    protocol,
    kind: 'flow',
    connectionState: state,
    sourcePackets: 1 + packets(flow.sourceBytes),
    destinationPackets: packets(flow.destinationBytes),
    ...(service === '' ? {} : { service }),
    ...(answered || flow.sourceBytes > 0 ? { sourceBytes: flow.sourceBytes } : {}),
    ...(answered ? { durationSeconds: flow.duration, destinationBytes: flow.destinationBytes } : {}),
    ...(technique === undefined ? { label: 'benign' } : { label: 'attack', technique }),
  }
}

const unset = (value: string | number | undefined): string | number => value ?? '-'
const LABELS = { benign: 'Benign', attack: 'Malicious' } as const

/** A function that writes lines; their unique ids are drawn by the seed. */
export function zeekLineWriter(
  seed: string,
  isLocal: (address: string) => boolean,
): (interaction: Interaction) => string {
  const random = prng(`traffic/${seed}/uid`)
  const local = localFlags(isLocal)
  return (i) => {
    const from = `${i.source}\t${unset(i.sourcePort)}\t${i.destination}\t${unset(i.destinationPort)}`
    const kind = `${unset(i.protocol)}\t${unset(i.service)}`
    const amounts = `${unset(i.durationSeconds?.toFixed(6))}\t${unset(i.sourceBytes)}\t${unset(i.destinationBytes)}`
    const place = `${unset(i.connectionState)}\t${local(i.source)}\t${local(i.destination)}\t0`
    const label = i.label === undefined ? 'Unknown' : LABELS[i.label]
    const sizes = `${unset(i.sourcePackets)}\t${unset(i.destinationPackets)}\t${label}\t${unset(i.technique)}`
    return `${i.time.toFixed(6)}\t${uid(random)}\t${from}\t${kind}\t${amounts}\t${place}\t${sizes}`
  }
}
