/**
 * Zeek's application logs (docs.zeek.org, "Zeek Log Formats"): what their records say of the two ends of a connection,
 * whether they came as tab-separated text or as JSON.
 */

import { cachedAddresses, canonicalAddress } from '../address.ts'
import {
  DETAIL_LENGTH_MAX,
  type Interaction,
  type InteractionKind,
  type ParsedLine,
  refused,
  skipped,
} from '../interaction.ts'
import { labelOf } from '../labels.ts'
import { wordTable } from './intern.ts'
import { isPort, isTime } from './number.ts'

export type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** One record, by Zeek's names of its fields. */
export interface ZeekRecord {
  /** Seconds since the epoch; NaN if it has none. */
  readonly time: number
  /** Undefined if unset. */
  text(field: string): string | undefined
  /** Undefined if unset, NaN if it is no amount. */
  amount(field: string): number | undefined
}

const KINDS: ReadonlyMap<string, InteractionKind> = new Map([
  ['dns', 'dns'],
  ['http', 'http'],
  ['ssl', 'tls'],
  ['kerberos', 'kerberos'],
  ['ntlm', 'ntlm'],
  ['notice', 'notice'],
])

/** Kind of interaction of a log path other than `conn`; undefined if its records are none. */
export function zeekKind(path: string): InteractionKind | undefined {
  return KINDS.get(path)
}

/** `From_malicious-To_malicious-Malware_x` says who, then what: the family is what. */
export function familyOf(detail: string): string {
  return detail.replace(/^From_[a-z]+-To_[a-z]+-?/i, '') || 'unnamed'
}

const cut = (text: string): string => text.slice(0, DETAIL_LENGTH_MAX)
/** Whether the server accepted, in the words of connection states. */
const STATES: Readonly<Record<string, string>> = { T: 'SF', F: 'REJ', true: 'SF', false: 'REJ' }

/** Reads records of the kinds above. */
export function zeekKindReader(): (kind: InteractionKind, record: ZeekRecord) => ParsedLine {
  const address = cachedAddresses(canonicalAddress)
  const lower = wordTable((text) => text.toLowerCase())
  const family = wordTable(familyOf)

  function details(kind: InteractionKind, record: ZeekRecord, to: Mutable<Interaction>): void {
    const detail = (text: string | undefined): void => {
      if (text !== undefined) to.detail = cut(text)
    }
    const state = STATES[record.text('success') ?? '']
    if (state !== undefined) to.connectionState = state
    const protocol = record.text('proto') ?? (kind === 'dns' || kind === 'kerberos' || kind === 'notice' ? '' : 'tcp')
    if (protocol !== '') to.protocol = lower(protocol)
    switch (kind) {
      case 'http':
        return detail(`${record.text('host') ?? ''}${record.text('uri') ?? ''}` || undefined)
      case 'tls':
        return detail(record.text('server_name'))
      case 'kerberos':
        user(to, record.text('client'))
        return detail(record.text('service'))
      case 'ntlm':
        user(to, account(record.text('domainname'), record.text('username')))
        return detail(record.text('hostname'))
      case 'notice':
        return detail(record.text('note'))
      default:
        return detail(record.text('query'))
    }
  }

  function label(record: ZeekRecord, to: Mutable<Interaction>): void {
    const known = labelOf(record.text('label') ?? '')
    if (known === undefined) return
    to.label = known
    const technique = record.text('technique') ?? record.text('detailedlabel') ?? record.text('detailed-label')
    if (known === 'attack') to.technique = family(technique ?? 'unnamed')
  }

  return (kind, record) => {
    if (!isTime(record.time)) return refused('time')
    const [origin, responder] = [
      record.text('id.orig_h') ?? record.text('src'),
      record.text('id.resp_h') ?? record.text('dst'),
    ]
    // A notice about the sensor itself, or about one host, is no contact.
    if (kind === 'notice' && (origin === undefined || responder === undefined)) return skipped('notice-without-ends')
    const [source, destination] = [address(origin ?? ''), address(responder ?? '')]
    if (source === undefined || destination === undefined) return refused('address')
    const to: Mutable<Interaction> = { time: record.time, source, destination, kind }
    const [sourcePort, destinationPort] = [record.amount('id.orig_p'), record.amount('id.resp_p') ?? record.amount('p')]
    if (!isPort(sourcePort ?? 0) || !isPort(destinationPort ?? 0)) return refused('port')
    if (sourcePort !== undefined) to.sourcePort = sourcePort
    if (destinationPort !== undefined) to.destinationPort = destinationPort
    if (!amounts(kind, record, to)) return refused('number')
    if (kind !== 'notice') to.service = kind === 'tls' ? 'ssl' : kind
    details(kind, record, to)
    label(record, to)
    return { ok: true, interaction: to }
  }
}

/** Sizes of bodies and time to the answer; false if one is no amount. */
function amounts(kind: InteractionKind, record: ZeekRecord, to: Mutable<Interaction>): boolean {
  if (kind !== 'http' && kind !== 'dns') return true
  const [sent, received, rtt] = [
    record.amount('request_body_len'),
    record.amount('response_body_len'),
    record.amount('rtt'),
  ]
  if (sent !== undefined) to.sourceBytes = sent
  if (received !== undefined) to.destinationBytes = received
  if (rtt !== undefined) to.durationSeconds = rtt
  return Number.isFinite((sent ?? 0) + (received ?? 0) + (rtt ?? 0))
}

function user(to: Mutable<Interaction>, name: string | undefined): void {
  if (name !== undefined) to.user = cut(name.toLowerCase())
}

/** `domain\name`; undefined without a name. */
export function account(domain: string | undefined, name: string | undefined): string | undefined {
  if (name === undefined) return undefined
  return domain === undefined ? name : `${domain}\\${name}`
}
