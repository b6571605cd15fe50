/**
 * Windows events as JSON lines, one flat object each, as the Mordor data sets hold them (NXLog or Winlogbeat through
 * Logstash). Sysmon 1 and Security 4688 are processes, Sysmon 3 and Security 5156 connections, Security 4624, 4625 and 4648
 * logons, 4768, 4769 and 4771 Kerberos, 4776 NTLM. Sysmon and Security tell of the same process or connection; both are
 * kept, since few hosts log both.
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
import { isoSeconds, isPort, isTime, nonNegative } from './number.ts'
import { type JsonRecord, parseRecord, stringAt } from './record.ts'
import { account, type Mutable } from './zeek-kinds.ts'

type Reader = (record: JsonRecord, time: number) => Interaction | string

/** IANA protocol numbers that Windows Filtering Platform events name. */
const PROTOCOLS: Readonly<Record<string, string>> = { '1': 'icmp', '6': 'tcp', '17': 'udp', '58': 'ipv6-icmp' }
const NAME = /^[\p{L}\p{N}_.$-]{1,255}$/u
const IMAGE_LENGTH_MAX = 1024
/** Ports that services listen on; Windows gives clients 49152 and above, older ones 1025 to 5000. */
const SERVICE_PORT_MAX = 10_000

/** A field as text; undefined where Windows writes a dash or nothing. */
function field(record: JsonRecord, key: string): string | undefined {
  const value = record[key]
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : ''
  return text === '' || text === '-' ? undefined : text
}

/** EventTime carries no zone, so it is the last resort: the collector's stamp comes seconds late, but in UTC. */
function timeOf(record: JsonRecord): number {
  for (const key of ['TimeCreated', 'UtcTime', '@timestamp', 'EventTime']) {
    const time = isoSeconds((stringAt(record, key) ?? '').replace(' ', 'T'))
    if (isTime(time)) return time
  }
  return Number.NaN
}

function port(record: JsonRecord, key: string): number | undefined {
  const text = field(record, key)
  return text === undefined ? undefined : nonNegative(text)
}

/** Group of events by the channel, in the words of the counts; `Security` is written in both cases. */
function groupOf(record: JsonRecord): string {
  const channel = (stringAt(record, 'Channel') ?? stringAt(record, 'SourceName') ?? '').toLowerCase()
  if (channel.includes('sysmon')) return 'sysmon'
  return channel === 'security' || channel === 'microsoft-windows-security-auditing' ? 'security' : channel
}

export function windowsJsonParser(selection: Selection = 'contacts'): LineParser {
  const address = cachedAddresses(canonicalAddress)
  const word = wordTable((text) => text)
  const lower = wordTable((text) => text.toLowerCase())

  function hostOf(record: JsonRecord, key = 'Hostname'): string | undefined {
    const name = field(record, key)?.replace(/^\\\\/, '')
    return name !== undefined && NAME.test(name) ? lower(name) : undefined
  }

  function userOf(record: JsonRecord, prefix: string): string | undefined {
    const name = account(field(record, `${prefix}DomainName`), field(record, `${prefix}UserName`))
    return name?.toLowerCase().slice(0, DETAIL_LENGTH_MAX)
  }

  /** The remote end of a logon: its address, else its workstation; undefined if it came from the host itself. */
  function remoteOf(record: JsonRecord, host: string): string | undefined {
    const ip = address(field(record, 'IpAddress') ?? '')
    if (ip !== undefined && ip !== '::1' && !ip.startsWith('127.')) return ip
    const workstation = hostOf(record, 'WorkstationName') ?? hostOf(record, 'Workstation')
    return workstation === undefined || host.split('.')[0] === workstation.split('.')[0] ? undefined : workstation
  }

  function connection(names: readonly [string, string, string, string]): Reader {
    return (record, time) => {
      const [from, to] = [address(field(record, names[0]) ?? ''), address(field(record, names[2]) ?? '')]
      if (from === undefined || to === undefined) return 'address'
      const [fromPort, toPort] = [port(record, names[1]), port(record, names[3])]
      if (!isPort(fromPort ?? 0) || !isPort(toPort ?? 0)) return 'port'
      // Of a connection that a host accepted, some versions of Sysmon name the listening end as the source.
      const accepted = field(record, 'Initiated')?.toLowerCase() === 'false'
      const swapped = accepted && (fromPort ?? 0) < SERVICE_PORT_MAX && (toPort ?? 0) >= SERVICE_PORT_MAX
      const [source, destination] = swapped ? [to, from] : [from, to]
      const [sourcePort, destinationPort] = swapped ? [toPort, fromPort] : [fromPort, toPort]
      const interaction: Mutable<Interaction> = { time, source, destination, kind: 'flow' }
      if (sourcePort !== undefined) interaction.sourcePort = sourcePort
      if (destinationPort !== undefined) interaction.destinationPort = destinationPort
      const protocol = field(record, 'Protocol')
      if (protocol !== undefined) interaction.protocol = PROTOCOLS[protocol] ?? lower(protocol)
      return interaction
    }
  }

  function withUser(interaction: Interaction, user: string | undefined, detail: string | undefined): Interaction {
    return {
      ...interaction,
      ...(user === undefined ? {} : { user }),
      ...(detail === undefined ? {} : { detail: detail.slice(0, DETAIL_LENGTH_MAX) }),
    }
  }

  /** From the remote end to the host; a logon at the host itself comes from the user. */
  function logon(succeeded: boolean): Reader {
    return (record, time) => {
      const host = hostOf(record)
      if (host === undefined) return 'host'
      const user = userOf(record, 'Target')
      const source = remoteOf(record, host) ?? user
      if (source === undefined) return 'user'
      const state = succeeded ? 'SF' : 'REJ'
      const interaction: Mutable<Interaction> = {
        time,
        source,
        destination: host,
        kind: 'logon',
        connectionState: state,
      }
      const type = field(record, 'LogonType')
      return withUser(interaction, user, type === undefined ? undefined : `type ${type}`)
    }
  }

  /** Credentials of another account, used on this host for that server. */
  const explicitLogon: Reader = (record, time) => {
    const host = hostOf(record)
    if (host === undefined) return 'host'
    const target = hostOf(record, 'TargetServerName')
    const destination = target === undefined || target === 'localhost' ? host : target
    const source = destination === host ? (userOf(record, 'Subject') ?? host) : host
    return withUser({ time, source, destination, kind: 'logon' }, userOf(record, 'Target'), 'explicit credentials')
  }

  function authentication(kind: 'kerberos' | 'ntlm', failed: boolean): Reader {
    return (record, time) => {
      const host = hostOf(record)
      if (host === undefined) return 'host'
      const user = userOf(record, 'Target')
      const source = remoteOf(record, host) ?? user
      if (source === undefined) return 'user'
      const status = field(record, 'Status')
      const refusal = failed || (status !== undefined && !/^0x0+$/i.test(status))
      const connectionState = refusal ? 'REJ' : 'SF'
      const interaction: Interaction = { time, source, destination: host, kind, service: kind, connectionState }
      return withUser(interaction, user, field(record, 'ServiceName') ?? field(record, 'PackageName'))
    }
  }

  function process(parentKey: string, imageKey: string): Reader {
    return (record, time) => {
      const host = hostOf(record)
      const image = field(record, imageKey)
      if (host === undefined || image === undefined) return host === undefined ? 'host' : 'image'
      const on = (path: string): string => `${host}|${path.slice(0, IMAGE_LENGTH_MAX).toLowerCase()}`
      // Before version 2 of event 4688 the parent is but a number, which names nothing once the process has ended.
      const source = on(field(record, parentKey) ?? 'unknown')
      const user = field(record, 'User')?.toLowerCase() ?? userOf(record, 'Subject')
      return withUser({ time, source, destination: on(image), kind: 'process' }, user, field(record, 'CommandLine'))
    }
  }

  const readers: ReadonlyMap<string, Reader> = new Map([
    ['sysmon-3', connection(['SourceIp', 'SourcePort', 'DestinationIp', 'DestinationPort'])],
    ['security-5156', connection(['SourceAddress', 'SourcePort', 'DestAddress', 'DestPort'])],
    ...(selection === 'contacts'
      ? []
      : ([
          ['sysmon-1', process('ParentImage', 'Image')],
          ['security-4688', process('ParentProcessName', 'NewProcessName')],
          ['security-4624', logon(true)],
          ['security-4625', logon(false)],
          ['security-4648', explicitLogon],
          ['security-4768', authentication('kerberos', false)],
          ['security-4769', authentication('kerberos', false)],
          ['security-4771', authentication('kerberos', true)],
          ['security-4776', authentication('ntlm', false)],
        ] as const)),
  ])

  function parse(line: string): ParsedLine {
    if (line === '') return skipped('blank')
    const record = parseRecord(line)
    if (record === undefined) return refused('json')
    const id = field(record, 'EventID')
    if (id === undefined || !/^\d{1,5}$/.test(id)) return refused('event-id')
    const group = groupOf(record)
    const reader = readers.get(`${group}-${id}`)
    if (reader === undefined)
      return skipped(group === 'sysmon' || group === 'security' ? `${group}-${id}` : word(group))
    const time = timeOf(record)
    if (!isTime(time)) return refused('time')
    const interaction = reader(record, time)
    return typeof interaction === 'string' ? refused(interaction) : { ok: true, interaction }
  }

  return { format: 'windows-json', parse, finish: () => [] }
}
