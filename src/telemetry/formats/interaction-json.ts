/** Interactions as JSON lines, one a line with the fields of {@link Interaction}: what `entente ingest --follow` writes. */

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
import { isPort, isTime } from './number.ts'
import { amountAt, type JsonRecord, parseRecord, stringAt } from './record.ts'

const KINDS: ReadonlySet<string> = new Set([
  'flow',
  'dns',
  'http',
  'tls',
  'kerberos',
  'ntlm',
  'notice',
  'alert',
  'logon',
  'process',
])
const NODE_LENGTH_MAX = 2048
const AMOUNTS = [
  'durationSeconds',
  'sourceBytes',
  'destinationBytes',
  'sourcePackets',
  'destinationPackets',
  'sourcePort',
  'destinationPort',
] as const
const WORDS = ['protocol', 'service', 'connectionState', 'user', 'detail'] as const

export function isInteractionRecord(record: JsonRecord): boolean {
  return ['source', 'destination', 'kind'].every((key) => typeof record[key] === 'string') && 'time' in record
}

export function encodeInteraction(interaction: Interaction): string {
  return JSON.stringify(interaction)
}

/** Hosts, users and processes of Windows events are nodes too, but contacts are between addresses only. */
function nodeReader(): (text: string | undefined, kind: string) => string | undefined {
  const address = cachedAddresses(canonicalAddress)
  return (text, kind) => {
    if (text === undefined || text === '' || text.length > NODE_LENGTH_MAX) return undefined
    const known = address(text)
    return known ?? (kind === 'flow' || kind === 'alert' ? undefined : text)
  }
}

function ports({ sourcePort, destinationPort }: Partial<Interaction>): boolean {
  return isPort(sourcePort ?? 0) && isPort(destinationPort ?? 0)
}

export function interactionJsonParser(selection: Selection = 'contacts'): LineParser {
  const node = nodeReader()

  function parse(line: string): ParsedLine {
    if (line === '') return skipped('blank')
    const record = parseRecord(line)
    if (record === undefined) return refused('json')
    const kind = stringAt(record, 'kind') ?? ''
    if (!KINDS.has(kind)) return refused('kind')
    if (selection === 'contacts' && kind !== 'flow' && kind !== 'alert') return skipped(kind)
    const time = amountAt(record, 'time')
    if (time === undefined || !isTime(time)) return refused('time')
    const [source, destination] = [node(stringAt(record, 'source'), kind), node(stringAt(record, 'destination'), kind)]
    if (source === undefined || destination === undefined) return refused('address')
    return rest({ time, source, destination, kind }, record)
  }

  function rest(base: Interaction, record: JsonRecord): ParsedLine {
    const more: Record<string, string | number> = {}
    for (const key of AMOUNTS) {
      const amount = amountAt(record, key)
      if (Number.isNaN(amount)) return refused('number')
      if (amount !== undefined) more[key] = amount
    }
    for (const key of WORDS) {
      const text = stringAt(record, key)
      if (text !== undefined) more[key] = text.slice(0, DETAIL_LENGTH_MAX)
    }
    const label = stringAt(record, 'label')
    if (label === 'attack') more['technique'] = (stringAt(record, 'technique') ?? 'unnamed').slice(0, DETAIL_LENGTH_MAX)
    if (label === 'attack' || label === 'benign') more['label'] = label
    const interaction: Interaction = { ...base, ...more }
    return ports(interaction) ? { ok: true, interaction } : refused('port')
  }

  return { format: 'interaction-json', parse, finish: () => [] }
}
