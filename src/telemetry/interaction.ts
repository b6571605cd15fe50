/** One contact between two addresses, whichever log it was read from. */

export interface Interaction {
  /** Seconds since the Unix epoch; may be fractional. */
  readonly time: number
  /** Canonical address text of the end that opened the contact, see address.ts. */
  readonly source: string
  readonly destination: string
  /** `flow`, or `alert` where a sensor reported an alert of which it logged no flow. */
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
}

/** What one line turned out to be. `skip` is not an error: a comment, or a log kind that holds no interactions. */
export type ParsedLine =
  | { readonly ok: true; readonly interaction: Interaction }
  | { readonly ok: false; readonly reason: string }
  | { readonly skip: true; readonly kind: string }

export type LogFormat = 'zeek-tsv' | 'zeek-json' | 'suricata-eve' | 'darpa-csv'

/** Reads the lines of one file in order. Lines are hostile: `parse` never throws, it refuses with a closed reason. */
export interface LineParser {
  readonly format: LogFormat
  parse(line: string): ParsedLine
  /** Interactions that waited for a later line when the file ended. */
  finish(): readonly Interaction[]
}

/** A file may hold times of its own start (slips-test9 counts from 0), but none after 2100. */
export const TIME_MAX = 4_102_444_800

export const refused = (reason: string): ParsedLine => ({ ok: false, reason })
export const skipped = (kind: string): ParsedLine => ({ skip: true, kind })
