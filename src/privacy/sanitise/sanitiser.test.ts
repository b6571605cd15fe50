import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testSanitiser } from './fixtures.ts'
import { SANITISE_FORMATS, type SanitiseFormat } from './sanitiser.ts'

/** Values that must not leave, each in a shape of its own. */
const CANARIES = [
  '203.0.113.77',
  'zanzibar.quetzal',
  'zanzibar@quetzal.example',
  'AKIAQQQQQQQQQQQQQQQQ',
  '4111111111111111',
  'quetzalhost',
  'CzZzZ1QuEtZaL99999',
]
const [IP, USER, MAIL, TOKEN, CARD, HOST, UID] = CANARIES

function run(format: SanitiseFormat, ...lines: string[]) {
  const sanitiser = testSanitiser()
  const sanitise = sanitiser.begin(format)
  return { lines: lines.map((line) => sanitise(line)), report: sanitiser.report() }
}

function leaks(value: unknown): string[] {
  const text = JSON.stringify(value).toLowerCase()
  return CANARIES.filter((canary) => text.includes(canary.toLowerCase()))
}

const ZEEK = [
  '#separator \\x09',
  '#path\tnotice',
  `#fields\tts\tuid\tid.orig_h\tid.resp_h\tnote\tmsg\t${USER}`,
  `1.5\t${UID}\t${IP}\t2001:db8::1\tSSH::Password_Guessing\tuser=${USER} mail ${MAIL} key ${TOKEN} card ${CARD}\t${USER}`,
]
const EVE = JSON.stringify({
  timestamp: '2026-01-01T00:00:00+0000',
  event_type: 'http',
  flow_id: 1406059894217967,
  src_ip: IP,
  dest_ip: '10.0.0.2',
  http: { hostname: `www.${HOST}.example`, url: `/?mail=${MAIL}&api_key=${TOKEN}`, cookie: USER },
  [USER ?? '']: 1,
  nested: { deep: { [HOST ?? '']: [CARD, { ip: IP }] } },
})
const WINDOWS = JSON.stringify({
  EventID: 4624,
  Hostname: HOST,
  TargetUserName: USER,
  TargetUserSid: 'S-1-5-21-111-222-333-1107',
  SubjectUserSid: 'S-1-5-18',
  IpAddress: IP,
  CommandLine: `net user ${USER} Quetzal99! /add`,
  Message: `An account ${USER} logged on from ${IP}`,
})
const NETFLOW = ['ts,td,sa,da,sp,dp,pr,ipkt,ibyt,owner', `2026-01-01 00:00:00,1,${IP},10.0.0.2,1,2,TCP,1,2,${USER}`]
const DARPA = '203.000.113.077,010.000.000.002,06/01/1998-00:00,neptune'
const INTERACTION = JSON.stringify({
  time: 1,
  source: IP,
  destination: `pc.${HOST}.example`,
  kind: 'logon',
  user: USER,
  secret: TOKEN,
})
const TEXT = `sshd: Accepted password for ${USER} from ${IP} mail ${MAIL} ${TOKEN} ${CARD}`

describe('a sanitised log', () => {
  it.each<[SanitiseFormat, string[]]>([
    ['zeek-tsv', ZEEK],
    ['suricata-eve', [EVE]],
    ['windows-json', [WINDOWS]],
    ['netflow-csv', NETFLOW],
    ['darpa-csv', [DARPA]],
    ['interaction-json', [INTERACTION]],
    ['text', [TEXT]],
    [
      'zeek-json',
      [JSON.stringify({ _path: 'conn', ts: 1, uid: UID, id_orig_h: IP, conn_state: 'SF', note: USER, host: HOST })],
    ],
  ])('holds nothing of what had to go, and neither does its report: %s', (format, lines) => {
    const result = run(format, ...lines)
    expect(result.lines).not.toContain(undefined)
    expect(leaks(result)).toEqual([])
  })

  it('keeps what the list allows', () => {
    expect(JSON.parse(run('suricata-eve', EVE).lines[0] ?? '')).toMatchObject({
      timestamp: '2026-01-01T00:00:00+0000',
      event_type: 'http',
      http: {
        hostname: expect.stringMatching(/^h-\S+\.h-\S+\.example$/),
        url: expect.stringMatching(/^\/\?mail=mail-\S+&api_key=\[token\]$/),
      },
    })
    const windows = JSON.parse(run('windows-json', WINDOWS).lines[0] ?? '') as Record<string, unknown>
    expect(windows).toMatchObject({
      EventID: 4624,
      SubjectUserSid: 'S-1-5-18',
      CommandLine: expect.stringContaining('[password] /add'),
    })
    expect(windows).not.toHaveProperty('Message')
    expect(run('darpa-csv', DARPA).lines[0]).toMatch(
      /^\d{3}\.\d{3}\.\d{3}\.\d{3},\d{3}\.\d{3}\.\d{3}\.\d{3},06\/01\/1998-00:00,T1499\.001$/,
    )
  })

  it('keeps the columns of a Zeek log in their places, unnamed where they are removed', () => {
    const [, path, fields, row] = run('zeek-tsv', ...ZEEK).lines
    expect(path).toBe('#path\tnotice')
    expect(fields).toBe('#fields\tts\tuid\tid.orig_h\tid.resp_h\tnote\tmsg\tremoved-7')
    expect(row?.split('\t')).toHaveLength(7)
    expect(row?.endsWith('\t-')).toBe(true)
  })

  it('has the same stand-in for a user in a field and in a text', () => {
    const record = JSON.stringify({ TargetUserName: 'Zoe.Vogel', CommandLine: 'dir C:\\Users\\zoe.vogel\\Desktop' })
    const { TargetUserName, CommandLine } = JSON.parse(run('windows-json', record).lines[0] ?? '') as Record<
      string,
      string
    >
    expect(TargetUserName).toMatch(/^user-/)
    expect(CommandLine).toContain(`\\Users\\${TargetUserName}\\Desktop`)
  })

  it('leaves lines out that are not of the format, and counts them by reason', () => {
    const { lines, report } = run('zeek-json', '{"ts":1,', '[1]', `not json ${USER}`, '{"ts":1}')
    expect(lines).toEqual([undefined, undefined, undefined, '{"ts":1}'])
    expect(report).toMatchObject({ linesIn: 4, linesOut: 1, linesDropped: { json: 3 } })
    expect(run('zeek-tsv', `1\t${IP}`).lines).toEqual([undefined])
    expect(run('zeek-tsv', ...ZEEK.slice(0, 3), `1\t${USER}`).lines[3]).toBeUndefined()
  })

  it('removes a private key that goes over several lines, and no more than a key can be long', () => {
    const key = ['-----BEGIN RSA PRIVATE KEY-----', 'MIIEow', 'QUETZAL', '-----END RSA PRIVATE KEY-----', 'after']
    expect(run('text', ...key).lines).toEqual([...Array.from({ length: 4 }, () => '[private-key]'), 'after'])
    const { lines } = run('text', '-----BEGIN PRIVATE KEY-----', ...Array.from({ length: 300 }, () => 'log line'))
    expect(lines.at(-1)).toBe('log line')
  })

  it('is never an exception, whatever the lines, and the report counts them all', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SANITISE_FORMATS),
        fc.array(fc.oneof(fc.string(), fc.json(), fc.constantFrom(...ZEEK, EVE, NETFLOW[0] ?? ''))),
        (format, lines) => {
          const { report } = run(format, ...lines)
          const dropped = Object.values(report.linesDropped).reduce((sum, count) => sum + count, 0)
          expect([report.linesIn, report.linesOut + dropped]).toEqual([lines.length, lines.length])
        },
      ),
    )
  })

  it('of a record that is nested without end stays bounded', () => {
    const deep = `${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}`
    expect(run('suricata-eve', deep).lines[0]).toBe('{}')
  })
})
