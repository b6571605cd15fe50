/**
 * Zeek's tab-separated logs (docs.zeek.org, "Zeek Log Formats"): the header names the columns, so any order and any
 * extra columns are read. Logs of other paths are read as zeek-kinds.ts says, or skipped. Labelled
 * captures add columns: `label` with `detailedlabel` (CTU), `detailed-label` (IoT-23) or `technique` (our generator).
 */

import { cachedAddresses, canonicalAddress, copyText } from '../address.ts'
import {
  type Interaction,
  type InteractionKind,
  type LineParser,
  type ParsedLine,
  refused,
  type Selection,
  skipped,
} from '../interaction.ts'
import { labelOf } from '../labels.ts'
import { wordTable } from './intern.ts'
import { isPort, isTime, nonNegative } from './number.ts'
import { familyOf, type Mutable, zeekKind, zeekKindReader } from './zeek-kinds.ts'

/** Columns that are read, and the positions that they keep in a row's list of fields. */
const COLUMNS = [
  'ts',
  'id.orig_h',
  'id.resp_h',
  'id.orig_p',
  'id.resp_p',
  'proto',
  'service',
  'duration',
  'orig_bytes',
  'resp_bytes',
  'conn_state',
  'orig_pkts',
  'resp_pkts',
  'label',
  'technique',
] as const
const REQUIRED = 3
const [
  TS,
  ORIG_H,
  RESP_H,
  ORIG_P,
  RESP_P,
  PROTO,
  SERVICE,
  DURATION,
  ORIG_BYTES,
  RESP_BYTES,
  STATE,
  ORIG_PKTS,
  RESP_PKTS,
  LABEL,
  TECHNIQUE,
] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14] as const
const COLUMNS_MAX = 256

/** For each column of the file the position among COLUMNS, or -1; undefined if a required one is missing. */
function columnMap(fields: readonly string[]): Int16Array | undefined {
  if (fields.length > COLUMNS_MAX) return undefined
  const map = new Int16Array(fields.length).fill(-1)
  for (const [position, name] of COLUMNS.entries()) {
    let at = fields.indexOf(name)
    if (position === TECHNIQUE && at < 0)
      at = Math.max(fields.indexOf('detailedlabel'), fields.indexOf('detailed-label'))
    if (at >= 0) map[at] = position
    else if (position < REQUIRED) return undefined
  }
  return map
}

/** Positions of the columns by name, for the kinds whose records are read by name. */
function positionsOf(fields: readonly string[]): ReadonlyMap<string, number> {
  return new Map(fields.slice(0, COLUMNS_MAX).map((name, at) => [copyText(name), at]))
}

export function zeekTsvParser(selection: Selection = 'contacts'): LineParser {
  const address = cachedAddresses(canonicalAddress)
  const lower = wordTable((text) => text.toLowerCase())
  const word = wordTable((text) => text)
  const family = wordTable(familyOf)
  const fields: string[] = new Array<string>(COLUMNS.length).fill('')
  let separator = '\t'
  let unset = '-'
  let empty = '(empty)'
  let path = ''
  let map: Int16Array | undefined
  let positions: ReadonlyMap<string, number> = new Map()
  let kind: InteractionKind | undefined
  const readKind = zeekKindReader()

  function header(line: string): ParsedLine {
    const space = line.indexOf(' ')
    if (line.startsWith('#separator') && space > 0) {
      const match = /^\\x([0-9a-fA-F]{2})$/.exec(line.slice(space + 1))
      separator = match === null ? '\t' : String.fromCharCode(Number.parseInt(match[1] as string, 16))
      return skipped('comment')
    }
    const [name, ...values] = line.split(separator)
    if (name === '#path') {
      path = word(values[0] ?? '')
      kind = selection === 'all' ? zeekKind(path) : undefined
    } else if (name === '#unset_field') unset = word(values[0] ?? '-')
    else if (name === '#empty_field') empty = word(values[0] ?? '(empty)')
    else if (name === '#fields') {
      map = columnMap(values)
      positions = positionsOf(values)
      // A file of several logs in a row may lack a column that the one before had.
      fields.fill('')
    }
    return skipped('comment')
  }

  /** Puts the wanted fields of a line in place; false if the line has another number of columns than the header. */
  function spread(line: string, columns: Int16Array): boolean {
    let start = 0
    for (let column = 0; column < columns.length; column++) {
      const tab = line.indexOf(separator, start)
      const last = column === columns.length - 1
      if (last !== tab < 0) return false
      const position = columns[column] as number
      if (position >= 0) fields[position] = last ? line.slice(start) : line.slice(start, tab)
      start = tab + 1
    }
    return true
  }

  const absent = (text: string): boolean => text === '' || text === unset || text === empty

  function parse(line: string): ParsedLine {
    if (line === '') return skipped('blank')
    if (line.charCodeAt(0) === 35) return header(line)
    if (path !== '' && path !== 'conn') return kind === undefined ? skipped(path) : application(line, kind)
    if (map === undefined) return refused('no-header')
    if (!spread(line, map)) return refused('field-count')
    const time = nonNegative(fields[TS] as string)
    if (!isTime(time)) return refused('time')
    const source = address(fields[ORIG_H] as string)
    const destination = address(fields[RESP_H] as string)
    if (source === undefined || destination === undefined) return refused('address')
    const interaction: Mutable<Interaction> = { time, source, destination, kind: 'flow' }
    return details(interaction)
  }

  function application(line: string, of: InteractionKind): ParsedLine {
    if (!positions.has('ts')) return refused('no-header')
    const cells = line.split(separator, COLUMNS_MAX + 1)
    if (cells.length !== positions.size) return refused('field-count')
    const text = (field: string): string | undefined => {
      const at = positions.get(field)
      const cell = at === undefined ? '' : (cells[at] as string)
      return absent(cell) ? undefined : cell
    }
    const amount = (field: string): number | undefined => {
      const cell = text(field)
      return cell === undefined ? undefined : nonNegative(cell)
    }
    return readKind(of, { time: nonNegative(text('ts') ?? ''), text, amount })
  }

  function details(interaction: Mutable<Interaction>): ParsedLine {
    const [origP, respP] = [fields[ORIG_P] as string, fields[RESP_P] as string]
    if (!absent(origP)) interaction.sourcePort = nonNegative(origP)
    if (!absent(respP)) interaction.destinationPort = nonNegative(respP)
    if (!isPort(interaction.sourcePort ?? 0) || !isPort(interaction.destinationPort ?? 0)) return refused('port')
    const [proto, service, state] = [fields[PROTO] as string, fields[SERVICE] as string, fields[STATE] as string]
    if (!absent(proto)) interaction.protocol = lower(proto)
    if (!absent(service)) interaction.service = lower(service)
    if (!absent(state)) interaction.connectionState = word(state)
    if (!amounts(interaction)) return refused('number')
    label(interaction)
    return { ok: true, interaction }
  }

  function amounts(interaction: Mutable<Interaction>): boolean {
    const [duration, origBytes, respBytes] = [
      fields[DURATION] as string,
      fields[ORIG_BYTES] as string,
      fields[RESP_BYTES] as string,
    ]
    const [origPkts, respPkts] = [fields[ORIG_PKTS] as string, fields[RESP_PKTS] as string]
    let sum = 0
    if (!absent(duration)) sum += interaction.durationSeconds = nonNegative(duration)
    if (!absent(origBytes)) sum += interaction.sourceBytes = nonNegative(origBytes)
    if (!absent(respBytes)) sum += interaction.destinationBytes = nonNegative(respBytes)
    if (!absent(origPkts)) sum += interaction.sourcePackets = nonNegative(origPkts)
    if (!absent(respPkts)) sum += interaction.destinationPackets = nonNegative(respPkts)
    return Number.isFinite(sum)
  }

  function label(interaction: Mutable<Interaction>): void {
    const known = labelOf(fields[LABEL] as string)
    if (known === undefined) return
    interaction.label = known
    const technique = fields[TECHNIQUE] as string
    if (known === 'attack') interaction.technique = absent(technique) ? 'unnamed' : family(technique)
  }

  return { format: 'zeek-tsv', parse, finish: () => [] }
}
