/** Generated flows as a Zeek conn.log, with `label` and `technique` columns. */

import { prng } from '../../base/prng.ts'
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

/** Packets that carry so many bytes, with the handshake. */
const packets = (bytes: number, answered: boolean): number => (answered ? 3 : 0) + Math.ceil(bytes / 1400)

export interface LogFlow extends Omit<Flow, 'protocol'> {
  readonly protocol: string
  /** Text of the label column, if not told by the technique. */
  readonly label?: 'Benign' | 'Malicious' | 'Unknown'
}

/** A function that writes lines, its unique ids drawn by the seed. */
export function zeekLineWriter(seed: string, isLocal: (address: string) => boolean): (flow: LogFlow) => string {
  const random = prng(`traffic/${seed}/uid`)
  const uid = (): string => {
    let id = 'C'
    for (let i = 0; i < 4; i++) {
      for (let bits = random.u32(), k = 0; k < 4; k++, bits = Math.floor(bits / 62)) id += ALPHABET.charAt(bits % 62)
    }
    return id
  }
  const locals = new Map<string, string>()
  const local = (address: string): string => {
    const known = locals.get(address)
    if (known !== undefined) return known
    if (locals.size > 1 << 16) locals.clear()
    const flag = isLocal(address) ? 'T' : 'F'
    locals.set(address, flag)
    return flag
  }
  return (flow) => {
    const answered = flow.state !== 'S0'
    const connection = `${flow.time.toFixed(6)}\t${uid()}\t${flow.source}\t${flow.sourcePort}\t${flow.destination}\t${flow.destinationPort}`
    const kind = `${flow.protocol}\t${flow.service === '' ? '-' : flow.service}`
    const amounts = answered
      ? `${flow.duration.toFixed(6)}\t${flow.sourceBytes}\t${flow.destinationBytes}`
      : `-\t${flow.sourceBytes || '-'}\t-`
    const place = `${flow.state}\t${local(flow.source)}\t${local(flow.destination)}\t0`
    const sizes = `${1 + packets(flow.sourceBytes, answered)}\t${packets(flow.destinationBytes, answered)}`
    const label = flow.label ?? (flow.technique === undefined ? 'Benign' : 'Malicious')
    return `${connection}\t${kind}\t${amounts}\t${place}\t${sizes}\t${label}\t${flow.technique ?? '-'}`
  }
}
