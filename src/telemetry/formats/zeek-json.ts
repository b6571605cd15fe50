/**
 * Zeek logs as JSON lines. Field names come with dots (`id.orig_h`), or with underscores where a shipper replaced
 * them; the log kind is `_path`, a shipper's `@stream`, or recognised by its fields. Kinds other than conn are read as
 * zeek-kinds.ts says, or skipped.
 */

import { cachedAddresses, canonicalAddress } from '../address.ts'
import { type Interaction, type LineParser, type ParsedLine, refused, type Selection, skipped } from '../interaction.ts'
import { labelOf } from '../labels.ts'
import { wordTable } from './intern.ts'
import { isoSeconds, isPort, isTime } from './number.ts'
import { amountAt, type JsonRecord, parseRecord, stringAt } from './record.ts'
import { familyOf, type Mutable, zeekKind, zeekKindReader, type ZeekRecord } from './zeek-kinds.ts'

/** Fields that only one kind of log has, for files whose records do not name theirs. */
const SIGNS: readonly (readonly [string, readonly string[]])[] = [
  ['dns', ['query', 'qtype']],
  ['dns', ['query', 'trans_id']],
  ['http', ['trans_depth', 'status_code']],
  ['http', ['trans_depth', 'method']],
  ['ssl', ['cipher', 'version']],
  ['kerberos', ['request_type', 'client']],
  ['ntlm', ['server_nb_computer_name', 'server_dns_computer_name']],
  ['notice', ['note', 'actions']],
]

function kindOf(record: JsonRecord): string {
  const named = stringAt(record, '_path') ?? stringAt(record, '@stream')
  if (named !== undefined) return named
  if ('conn_state' in record || ('proto' in record && 'orig_pkts' in record)) return 'conn'
  return SIGNS.find(([, fields]) => fields.every((field) => field in record))?.[0] ?? 'unknown'
}

function timeOf(record: JsonRecord): number {
  const ts = record['ts']
  return typeof ts === 'number' ? ts : typeof ts === 'string' ? isoSeconds(ts) : Number.NaN
}

function portsValid(interaction: Interaction): boolean {
  return isPort(interaction.sourcePort ?? 0) && isPort(interaction.destinationPort ?? 0)
}

function amountsValid(i: Interaction): boolean {
  const sum =
    (i.durationSeconds ?? 0) +
    (i.sourceBytes ?? 0) +
    (i.destinationBytes ?? 0) +
    (i.sourcePackets ?? 0) +
    (i.destinationPackets ?? 0)
  return Number.isFinite(sum)
}

function byName(record: JsonRecord): ZeekRecord {
  const at = (field: string): unknown => record[field] ?? record[field.replaceAll('.', '_')]
  return {
    time: timeOf(record),
    text: (field) => {
      const value = at(field)
      return typeof value === 'string' && value !== '' ? value : typeof value === 'boolean' ? String(value) : undefined
    },
    amount: (field) => {
      const value = at(field) ?? undefined
      return value === undefined || (typeof value === 'number' && value >= 0) ? value : Number.NaN
    },
  }
}

export function zeekJsonParser(selection: Selection = 'contacts'): LineParser {
  const address = cachedAddresses(canonicalAddress)
  const kind = wordTable((text) => text)
  const lower = wordTable((text) => text.toLowerCase())
  const family = wordTable(familyOf)
  const readKind = zeekKindReader()

  function parse(line: string): ParsedLine {
    if (line === '') return skipped('blank')
    const record = parseRecord(line)
    if (record === undefined) return refused('json')
    const path = kindOf(record)
    if (path === 'conn') return connection(record)
    const other = selection === 'all' ? zeekKind(path) : undefined
    return other === undefined ? skipped(kind(path)) : readKind(other, byName(record))
  }

  function connection(record: JsonRecord): ParsedLine {
    const time = timeOf(record)
    if (!isTime(time)) return refused('time')
    const prefix = 'id.orig_h' in record ? 'id.' : 'id_'
    const source = address(stringAt(record, `${prefix}orig_h`) ?? '')
    const destination = address(stringAt(record, `${prefix}resp_h`) ?? '')
    if (source === undefined || destination === undefined) return refused('address')
    const interaction: Mutable<Interaction> = { time, source, destination, kind: 'flow' }
    numbers(interaction, record, prefix)
    if (!portsValid(interaction)) return refused('port')
    if (!amountsValid(interaction)) return refused('number')
    words(interaction, record)
    return { ok: true, interaction }
  }

  function numbers(interaction: Mutable<Interaction>, record: JsonRecord, prefix: string): void {
    const assign = (key: NumberField, field: string): void => {
      const value = amountAt(record, field)
      if (value !== undefined) interaction[key] = value
    }
    assign('sourcePort', `${prefix}orig_p`)
    assign('destinationPort', `${prefix}resp_p`)
    assign('durationSeconds', 'duration')
    assign('sourceBytes', 'orig_bytes')
    assign('destinationBytes', 'resp_bytes')
    assign('sourcePackets', 'orig_pkts')
    assign('destinationPackets', 'resp_pkts')
  }

  function words(interaction: Mutable<Interaction>, record: JsonRecord): void {
    const proto = stringAt(record, 'proto')
    const service = stringAt(record, 'service')
    const state = stringAt(record, 'conn_state')
    const label = labelOf(stringAt(record, 'label') ?? '')
    if (proto !== undefined) interaction.protocol = lower(proto)
    if (service !== undefined) interaction.service = lower(service)
    if (state !== undefined) interaction.connectionState = kind(state)
    if (label !== undefined) interaction.label = label
    if (label === 'attack')
      interaction.technique = family(stringAt(record, 'technique') ?? stringAt(record, 'detailedlabel') ?? 'unnamed')
  }

  return { format: 'zeek-json', parse, finish: () => [] }
}

type NumberField =
  | 'sourcePort'
  | 'destinationPort'
  | 'durationSeconds'
  | 'sourceBytes'
  | 'destinationBytes'
  | 'sourcePackets'
  | 'destinationPackets'
