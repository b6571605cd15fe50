/** One contact between two nodes of a network or a host, whichever log it was read from. */

/** `flow` counts a connection; the others tell what happened inside one, or on a host. */
export type InteractionKind =
  | 'flow'
  | 'dns'
  | 'http'
  | 'tls'
  | 'kerberos'
  | 'ntlm'
  | 'notice'
  | 'alert'
  | 'logon'
  | 'process'

/**
 * Which records of a log become interactions. `contacts`: each connection once, so flows, and alerts whose flow was not
 * logged; this is what features are made of. `all`: every record of a known kind, which tells of one connection several
 * times.
 */
export type Selection = 'contacts' | 'all'

export interface Interaction {
  /** Seconds since the Unix epoch; may be fractional. */
  readonly time: number
  /**
   * Canonical address text of the end that opened the contact, see address.ts. Windows events also name hosts
   * (`pc7.example.org`), users (`example\\alice`) and processes (`pc7.example.org|c:\\windows\\explorer.exe`), lowercase.
   */
  readonly source: string
  readonly destination: string
  /** An {@link InteractionKind}; a text, so that a recorded stream of a later version can be read. */
  readonly kind: string
  readonly sourcePort?: number
  readonly destinationPort?: number
  /** Lowercase transport protocol: tcp, udp, icmp ... */
  readonly protocol?: string
  /** Lowercase application protocol as the sensor named it. */
  readonly service?: string
  readonly durationSeconds?: number
  readonly sourceBytes?: number
  readonly destinationBytes?: number
  readonly sourcePackets?: number
  readonly destinationPackets?: number
  /** A Zeek connection state (S0, SF, REJ ...); other sensors' states are translated. */
  readonly connectionState?: string
  /** Absent = unknown. */
  readonly label?: 'benign' | 'attack'
  /** Attack name or ATT&CK technique id: the family. Only with label `attack`. */
  readonly technique?: string
  /** Account that acted: `domain\\name` lowercase, or a Kerberos principal. */
  readonly user?: string
  /** What the contact was about, cut to 256 characters: name asked for, URL, server name, notice, signature. */
  readonly detail?: string
}

/** What one line turned out to be. `skip` is not an error: a comment, or a log kind that holds no interactions. */
export type ParsedLine =
  | { readonly ok: true; readonly interaction: Interaction }
  | { readonly ok: false; readonly reason: string }
  | { readonly skip: true; readonly kind: string }

export const LOG_FORMATS = [
  'zeek-tsv',
  'zeek-json',
  'suricata-eve',
  'windows-json',
  'netflow-csv',
  'darpa-csv',
  'interaction-json',
] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

/** Reads the lines of one file in order. Lines are hostile: `parse` never throws, it refuses with a closed reason. */
export interface LineParser {
  readonly format: LogFormat
  parse(line: string): ParsedLine
  /** Interactions that waited for a later line when the file ended. */
  finish(): readonly Interaction[]
}

/** A file may hold times of its own start (slips-test9 counts from 0), but none after 2100. */
export const TIME_MAX = 4_102_444_800

/** Longer details are cut: a URL may be as long as its sender likes. */
export const DETAIL_LENGTH_MAX = 256

export const refused = (reason: string): ParsedLine => ({ ok: false, reason })
export const skipped = (kind: string): ParsedLine => ({ skip: true, kind })
