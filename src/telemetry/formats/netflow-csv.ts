/**
 * Flows as comma-separated text whose header names the columns: Argus bidirectional flows as CTU-13 publishes them
 * (`.binetflow`), and nfdump's `-o csv` in its forms before and since version 1.7. nfdump ends with a summary.
 */

import { cachedAddresses, canonicalAddress } from '../address.ts'
import { type Interaction, type LineParser, type ParsedLine, refused, skipped } from '../interaction.ts'
import { labelOf } from '../labels.ts'
import { wordTable } from './intern.ts'
import { isPort, isTime, nonNegative, stampSeconds } from './number.ts'
import type { Mutable } from './zeek-kinds.ts'

/** Columns that are read, and the names (in lowercase) that the formats give them. */
const COLUMNS = {
  time: ['starttime', 'ts', 'firstseen'],
  duration: ['dur', 'td', 'duration'],
  protocol: ['proto', 'pr'],
  source: ['srcaddr', 'sa'],
  sourcePort: ['sport', 'sp', 'srcport'],
  direction: ['dir'],
  destination: ['dstaddr', 'da'],
  destinationPort: ['dport', 'dp', 'dstport'],
  state: ['state'],
  totalPackets: ['totpkts'],
  totalBytes: ['totbytes'],
  sourceBytes: ['srcbytes', 'ibyt', 'bytes'],
  sourcePackets: ['srcpkts', 'ipkt', 'packets'],
  destinationBytes: ['dstbytes', 'obyt'],
  destinationPackets: ['dstpkts', 'opkt'],
  label: ['label'],
} as const
type Column = keyof typeof COLUMNS
type Positions = { readonly [K in Column]: number }
const COLUMNS_MAX = 128

/** Where each column is, -1 = nowhere; undefined if the line is no header of such a file. */
export function netflowColumns(line: string): Positions | undefined {
  if (line.length > 4096) return undefined
  const names = line.split(',').map((name) => name.trim().toLowerCase())
  const at = (known: readonly string[]): number => names.findIndex((name) => known.includes(name))
  const entries = Object.entries(COLUMNS).map(([column, known]) => [column, at(known)] as const)
  const positions = Object.fromEntries(entries) as Record<Column, number>
  return positions.time >= 0 && positions.source >= 0 && positions.destination >= 0 ? positions : undefined
}

/** Argus names TCP flags by side (`SRPA_SPA`), and other exchanges by word. */
export function argusState(state: string): string | undefined {
  if (state === 'CON') return 'SF'
  if (state === 'INT' || state === 'REQ') return 'S0'
  const sides = /^([FSRPAEC]*)_([FSRPAEC]*)$/.exec(state)
  if (sides === null) return undefined
  const [, from, to] = sides as unknown as [string, string, string]
  if (to === '') return 'S0'
  if (to.includes('R')) return to.includes('S') ? 'RSTR' : 'REJ'
  if (from.includes('R')) return 'RSTO'
  return from.includes('F') && to.includes('F') ? 'SF' : 'S1'
}

/**
 * CTU-13: only flows *from* a bot or a normal host are labelled as such; "To-Botnet" and "Background" are not known
 * (README of the data set).
 */
function ctuLabel(text: string): Pick<Interaction, 'label' | 'technique'> {
  const plain = labelOf(text)
  if (plain === 'benign') return { label: 'benign' }
  const attack = /^(?:flow=)?From-Botnet-?(?:V\d+(?:-\d+)?-?)?(.*)$/i.exec(text)
  if (plain === 'attack' || attack !== null) return { label: 'attack', technique: attack?.[1] || 'unnamed' }
  return /^(?:flow=)?(?:From-)?Normal/i.test(text) ? { label: 'benign' } : {}
}

/** CTU-13 writes ICMP's type and code as hexadecimal where others have a port. */
function portOf(text: string): number | undefined {
  if (text === '') return undefined
  return /^0x[0-9a-fA-F]{1,4}$/.test(text) ? Number.parseInt(text, 16) : nonNegative(text)
}

export function netflowCsvParser(): LineParser {
  const address = cachedAddresses(canonicalAddress)
  const lower = wordTable((text) => text.toLowerCase())
  const word = wordTable((text) => text)
  let columns: Positions | undefined
  let width = 0
  let summary = false
  let cells: readonly string[] = []

  const cell = (column: Column): string => {
    const at = (columns as Positions)[column]
    return at < 0 ? '' : (cells[at] as string).trim()
  }

  function parse(line: string): ParsedLine {
    if (line === '') return skipped('blank')
    if (line.charCodeAt(0) === 35) return skipped('comment')
    if (summary || /^summary\b/i.test(line)) {
      summary = true
      return skipped('summary')
    }
    const header = /^[A-Za-z]/.test(line) ? netflowColumns(line) : undefined
    if (header !== undefined) {
      columns = header
      width = line.split(',').length
      return skipped('comment')
    }
    if (columns === undefined) return refused('no-header')
    cells = line.split(',', COLUMNS_MAX + 1)
    return cells.length === width ? flow() : refused('field-count')
  }

  function flow(): ParsedLine {
    const time = stampSeconds(cell('time'))
    if (!isTime(time)) return refused('time')
    const [left, right] = [address(cell('source')), address(cell('destination'))]
    if (left === undefined || right === undefined) return refused('address')
    const interaction: Mutable<Interaction> = { time, source: left, destination: right, kind: 'flow' }
    if (!ports(interaction)) return refused('port')
    if (!amounts(interaction)) return refused('number')
    const protocol = cell('protocol')
    if (protocol !== '') interaction.protocol = lower(protocol)
    const state = argusState(cell('state'))
    if (state !== undefined) interaction.connectionState = state
    const { label, technique } = ctuLabel(cell('label'))
    if (label !== undefined) interaction.label = label
    if (technique !== undefined) interaction.technique = word(technique)
    return { ok: true, interaction: cell('direction') === '<-' ? turned(interaction) : interaction }
  }

  function ports(interaction: Mutable<Interaction>): boolean {
    const [from, to] = [portOf(cell('sourcePort')), portOf(cell('destinationPort'))]
    if (from !== undefined) interaction.sourcePort = from
    if (to !== undefined) interaction.destinationPort = to
    return isPort(from ?? 0) && isPort(to ?? 0)
  }

  function amounts(interaction: Mutable<Interaction>): boolean {
    let sum = 0
    const amount = (column: Column): number | undefined => {
      const text = cell(column)
      if (text === '') return undefined
      const value = nonNegative(text)
      sum += value
      return value
    }
    const [duration, total] = [amount('duration'), amount('totalBytes')]
    const [sent, received] = [amount('sourceBytes'), amount('destinationBytes')]
    const [packetsOut, packetsIn] = [amount('sourcePackets'), amount('destinationPackets')]
    if (duration !== undefined) interaction.durationSeconds = duration
    if (sent !== undefined) interaction.sourceBytes = sent
    const answered = received ?? (total !== undefined && sent !== undefined ? total - sent : undefined)
    if (answered !== undefined) interaction.destinationBytes = answered
    if (packetsOut !== undefined) interaction.sourcePackets = packetsOut
    if (packetsIn !== undefined) interaction.destinationPackets = packetsIn
    return Number.isFinite(sum) && (answered ?? 0) >= 0
  }

  return { format: 'netflow-csv', parse, finish: () => [] }
}

/** Argus writes `<-` where the right end opened the contact: both ends change their places. */
function turned(interaction: Interaction): Interaction {
  const { time, kind, protocol, durationSeconds, connectionState, label, technique } = interaction
  const same = { time, kind, protocol, durationSeconds, connectionState, label, technique }
  return present({
    ...same,
    source: interaction.destination,
    destination: interaction.source,
    sourcePort: interaction.destinationPort,
    destinationPort: interaction.sourcePort,
    sourceBytes: interaction.destinationBytes,
    destinationBytes: interaction.sourceBytes,
    sourcePackets: interaction.destinationPackets,
    destinationPackets: interaction.sourcePackets,
  })
}

type Loose = { readonly [K in keyof Interaction]: Interaction[K] | undefined } & Pick<
  Interaction,
  'time' | 'source' | 'destination' | 'kind'
>

/** Without the fields that are not known. */
function present(loose: Loose): Interaction {
  return Object.fromEntries(Object.entries(loose).filter(([, value]) => value !== undefined)) as unknown as Interaction
}
