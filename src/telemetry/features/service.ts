/** Ports and states in the few classes that behave alike. */

export const NAME = 1
export const WEB = 2
export const FILE = 3
export const REMOTE = 4
export const MAIL = 5
export const MACHINE = 6

const CLASSES: readonly (readonly [number, readonly number[]])[] = [
  [NAME, [53, 5353, 5355, 137, 853]],
  [WEB, [80, 443, 8080, 8443, 8000, 8008, 3128]],
  [FILE, [135, 138, 139, 445, 88, 389, 636, 3268, 464, 2049, 111]],
  [REMOTE, [20, 21, 22, 23, 3389, 5900, 5985, 5986, 512, 513, 514, 2222]],
  [MAIL, [25, 110, 143, 465, 587, 993, 995]],
  [MACHINE, [123, 161, 162, 1883, 8883, 5683, 502, 1900, 9100, 67, 68, 6514]],
]

const CLASS_OF_PORT = new Uint8Array(65536)
for (const [name, ports] of CLASSES) for (const port of ports) CLASS_OF_PORT[port] = name

const CLASS_OF_SERVICE: ReadonlyMap<string, number> = new Map([
  ['dns', NAME],
  ['http', WEB],
  ['ssl', WEB],
  ['tls', WEB],
  ['quic', WEB],
  ['smb', FILE],
  ['gssapi,smb', FILE],
  ['krb_tcp', FILE],
  ['dce_rpc', FILE],
  ['ldap', FILE],
  ['ssh', REMOTE],
  ['rdp', REMOTE],
  ['ftp', REMOTE],
  ['telnet', REMOTE],
  ['smtp', MAIL],
  ['ntp', MACHINE],
  ['mqtt', MACHINE],
  ['snmp', MACHINE],
])

/** Class of a service by its port, else by what the sensor recognised; 0 = none of them. */
export function serviceClass(port: number | undefined, service: string | undefined): number {
  const byPort = port === undefined ? 0 : (CLASS_OF_PORT[port] as number)
  return byPort !== 0 ? byPort : service === undefined ? 0 : (CLASS_OF_SERVICE.get(service) ?? 0)
}

const FAILED: ReadonlySet<string> = new Set(['S0', 'REJ', 'RSTOS0', 'RSTRH', 'SH', 'SHR'])
const COMPLETED: ReadonlySet<string> = new Set(['SF', 'RSTO', 'RSTR', 'S2', 'S3'])

/** Outcome of a connection: -1 refused or unanswered, 1 had its course, 0 under way, seen in part or unknown. */
export function outcomeOf(state: string | undefined): number {
  if (state === undefined) return 0
  return FAILED.has(state) ? -1 : COMPLETED.has(state) ? 1 : 0
}
