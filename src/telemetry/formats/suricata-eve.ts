/**
 * Suricata EVE JSON lines. A flow record is an interaction. An alert labels the flow of its flow_id as an attack of the
 * alert's category, if that flow is logged later; a flow's own `alerted` flag says so too. An alert whose flow never
 * comes, or came before without the flag, becomes an interaction of kind `alert` of its own. Severity 3 and above is
 * information, not an attack (classification.config: "Not Suspicious Traffic", "Misc activity"). A flow that says
 * `alerted: false` is benign in the judgement of the rule set; a flow that says nothing is unknown. When all records are
 * selected, every alert is an interaction at once, informational ones without a label, and so are dns, http and tls.
 */

import { cachedAddresses, canonicalAddress } from '../address.ts'
import {
  DETAIL_LENGTH_MAX,
  type Interaction,
  type LineParser,
  type ParsedLine,
  refused,
  type Selection,
  skipped,
} from '../interaction.ts'
import { wordTable } from './intern.ts'
import { isoSeconds, isPort, isTime } from './number.ts'
import { amountAt, asRecord, type JsonRecord, parseRecord, stringAt } from './record.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Alerts that wait for their flow; the oldest gives up waiting when one more comes. */
const PENDING_MAX = 8192
const ATTACK_SEVERITY_MAX = 2

function flowId(record: JsonRecord): string | undefined {
  const id = record['flow_id']
  return typeof id === 'number' ? String(id) : undefined
}

/** Suricata's flow states in Zeek's words; a reset answer of two packets or fewer is a refusal. */
function stateOf(record: JsonRecord, flow: JsonRecord): string | undefined {
  const answered = amountAt(flow, 'pkts_toclient') ?? 0
  switch (stringAt(flow, 'state')) {
    case 'new':
      return answered === 0 ? 'S0' : 'S1'
    case 'established':
      return 'S1'
    case 'closed':
      return asRecord(record['tcp'])?.['rst'] === true && answered <= 2 ? 'REJ' : 'SF'
    default:
      return undefined
  }
}

function timeOf(record: JsonRecord, flow: JsonRecord | undefined): number {
  const start = isoSeconds((flow && stringAt(flow, 'start')) ?? '')
  return isTime(start) ? start : isoSeconds(stringAt(record, 'timestamp') ?? '')
}

function addAmounts(interaction: Mutable<Interaction>, flow: JsonRecord): boolean {
  const values = [
    amountAt(flow, 'bytes_toserver'),
    amountAt(flow, 'bytes_toclient'),
    amountAt(flow, 'pkts_toserver'),
    amountAt(flow, 'pkts_toclient'),
  ]
  const [toServer, toClient, packetsOut, packetsIn] = values
  if (toServer !== undefined) interaction.sourceBytes = toServer
  if (toClient !== undefined) interaction.destinationBytes = toClient
  if (packetsOut !== undefined) interaction.sourcePackets = packetsOut
  if (packetsIn !== undefined) interaction.destinationPackets = packetsIn
  const ended = isoSeconds(stringAt(flow, 'end') ?? '') - interaction.time
  if (ended >= 0) interaction.durationSeconds = ended
  return values.every((value) => value === undefined || Number.isFinite(value))
}

/** What a dns, http or tls record is about. */
function aboutOf(type: string, record: JsonRecord): string | undefined {
  const about = asRecord(record[type])
  if (about === undefined) return undefined
  if (type === 'tls') return stringAt(about, 'sni') ?? stringAt(about, 'subject')
  if (type === 'http') return `${stringAt(about, 'hostname') ?? ''}${stringAt(about, 'url') ?? ''}` || undefined
  const [query] = Array.isArray(about['queries']) ? (about['queries'] as readonly unknown[]) : []
  return stringAt(about, 'rrname') ?? stringAt(asRecord(query) ?? {}, 'rrname')
}

/** An answer repeats its query: DNS logs of version 1 and 2 say `answer`, of version 3 `response`. */
function isAnswer(record: JsonRecord): boolean {
  const type = stringAt(asRecord(record['dns']) ?? {}, 'type')
  return type === 'answer' || type === 'response'
}

export function suricataEveParser(selection: Selection = 'contacts'): LineParser {
  const address = cachedAddresses(canonicalAddress)
  const word = wordTable((text) => text)
  const lower = wordTable((text) => text.toLowerCase())
  /** Alerts without a flow so far, in order of arrival. */
  const pending = new Map<string, Interaction>()
  /** Flows that already went out as attacks: their late alerts say nothing new. */
  const labelled = new Set<string>()

  /** The part that flow and alert records share; a text is the reason of refusal. */
  function endpoints(record: JsonRecord, kind: string): Mutable<Interaction> | string {
    const flow = asRecord(record['flow'])
    const time = timeOf(record, kind === 'flow' || kind === 'alert' ? flow : undefined)
    if (!isTime(time)) return 'time'
    const source = address(stringAt(record, 'src_ip') ?? '')
    const destination = address(stringAt(record, 'dest_ip') ?? '')
    if (source === undefined || destination === undefined) return 'address'
    const interaction: Mutable<Interaction> = { time, source, destination, kind }
    const [sourcePort, destinationPort] = [amountAt(record, 'src_port'), amountAt(record, 'dest_port')]
    if (sourcePort !== undefined) interaction.sourcePort = sourcePort
    if (destinationPort !== undefined) interaction.destinationPort = destinationPort
    if (!isPort(sourcePort ?? 0) || !isPort(destinationPort ?? 0)) return 'port'
    const [proto, service] = [stringAt(record, 'proto'), stringAt(record, 'app_proto')]
    if (proto !== undefined) interaction.protocol = lower(proto)
    if (service !== undefined && service !== 'failed') interaction.service = lower(service)
    if (flow !== undefined && !addAmounts(interaction, flow)) return 'number'
    return interaction
  }

  function flowRecord(record: JsonRecord): ParsedLine {
    const flow = asRecord(record['flow'])
    if (flow === undefined) return refused('flow')
    const interaction = endpoints(record, 'flow')
    if (typeof interaction === 'string') return refused(interaction)
    const state = stateOf(record, flow)
    if (state !== undefined) interaction.connectionState = state
    const id = flowId(record)
    const alert = id === undefined ? undefined : pending.get(id)
    if (alert !== undefined || flow['alerted'] === true) {
      interaction.label = 'attack'
      interaction.technique = alert?.technique ?? 'alerted'
      if (id !== undefined) settle(id)
    } else if (flow['alerted'] === false) interaction.label = 'benign'
    return { ok: true, interaction }
  }

  function settle(id: string): void {
    pending.delete(id)
    if (labelled.size >= PENDING_MAX) labelled.clear()
    labelled.add(id)
  }

  function alertRecord(record: JsonRecord): ParsedLine {
    const alert = asRecord(record['alert'])
    if (alert === undefined) return refused('alert')
    const informational = (amountAt(alert, 'severity') ?? 1) > ATTACK_SEVERITY_MAX
    if (informational && selection === 'contacts') return skipped('alert-informational')
    const interaction = endpoints(record, 'alert')
    if (typeof interaction === 'string') return refused(interaction)
    const signature = stringAt(alert, 'signature')
    if (selection === 'all' && signature !== undefined) interaction.detail = signature.slice(0, DETAIL_LENGTH_MAX)
    if (informational) return { ok: true, interaction }
    interaction.label = 'attack'
    interaction.technique = word(stringAt(alert, 'category') || stringAt(alert, 'signature') || 'unnamed')
    const id = flowId(record)
    if (selection === 'all') return announce(id, interaction)
    if (id === undefined) return { ok: true, interaction }
    if (labelled.has(id) || pending.has(id)) return skipped('alert-of-known-flow')
    return wait(id, interaction)
  }

  /** Out at once, and remembered for its flow's label. */
  function announce(id: string | undefined, interaction: Interaction): ParsedLine {
    if (id !== undefined && !labelled.has(id) && !pending.has(id)) wait(id, interaction)
    return { ok: true, interaction }
  }

  function application(type: 'dns' | 'http' | 'tls', record: JsonRecord): ParsedLine {
    if (type === 'dns' && isAnswer(record)) return skipped('dns-answer')
    const interaction = endpoints(record, type)
    if (typeof interaction === 'string') return refused(interaction)
    interaction.service ??= type
    const detail = aboutOf(type, record)
    if (detail !== undefined) interaction.detail = detail.slice(0, DETAIL_LENGTH_MAX)
    const body = amountAt(asRecord(record['http']) ?? {}, 'length')
    if (type === 'http' && body !== undefined) interaction.destinationBytes = body
    return Number.isNaN(body) ? refused('number') : { ok: true, interaction }
  }

  function wait(id: string, interaction: Interaction): ParsedLine {
    pending.set(id, interaction)
    if (pending.size <= PENDING_MAX) return skipped('alert')
    const [oldest, evicted] = pending.entries().next().value as [string, Interaction]
    pending.delete(oldest)
    return { ok: true, interaction: evicted }
  }

  function parse(line: string): ParsedLine {
    if (line === '') return skipped('blank')
    const record = parseRecord(line)
    if (record === undefined) return refused('json')
    const type = stringAt(record, 'event_type')
    if (type === undefined) return refused('event-type')
    if (type === 'flow') return flowRecord(record)
    if (type === 'alert') return alertRecord(record)
    if (selection === 'all' && (type === 'dns' || type === 'http' || type === 'tls')) return application(type, record)
    return skipped(word(type))
  }

  function finish(): readonly Interaction[] {
    const waiting = selection === 'all' ? [] : [...pending.values()]
    pending.clear()
    return waiting
  }

  return { format: 'suricata-eve', parse, finish }
}

/** The two ends of a flow or alert record, whatever becomes of it; undefined for anything else. */
export function eveEnds(line: string): { readonly source: string; readonly destination: string } | undefined {
  const record = parseRecord(line)
  const type = record && stringAt(record, 'event_type')
  if (record === undefined || (type !== 'flow' && type !== 'alert')) return undefined
  const source = canonicalAddress(stringAt(record, 'src_ip') ?? '')
  const destination = canonicalAddress(stringAt(record, 'dest_ip') ?? '')
  return source === undefined || destination === undefined ? undefined : { source, destination }
}
