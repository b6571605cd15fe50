import { describe, expect, it } from 'vitest'
import { windowsJsonParser } from './windows-json.ts'

const at = { '@timestamp': '2020-10-22T08:29:52Z', 'Hostname': 'PC5.Example.org' }
const time = 1603355392
const sysmon = { ...at, Channel: 'Microsoft-Windows-Sysmon/Operational' }
const security = { ...at, Channel: 'security' }
const parse = (record: object) => windowsJsonParser('all').parse(JSON.stringify(record))
const read = (record: object) => {
  const parsed = parse(record)
  return 'ok' in parsed && parsed.ok ? parsed.interaction : parsed
}

describe('Windows events', () => {
  it('of Sysmon name a process by its host, with its parent and its user', () => {
    const created = { Image: 'C:\\Tools\\X.EXE', ParentImage: 'C:\\cmd.exe', User: 'CORP\\Alice', CommandLine: 'x -y' }
    expect(read({ ...sysmon, EventID: 1, ...created })).toEqual({
      time,
      source: 'pc5.example.org|c:\\cmd.exe',
      destination: 'pc5.example.org|c:\\tools\\x.exe',
      kind: 'process',
      user: 'corp\\alice',
      detail: 'x -y',
    })
    const older = { EventID: 4688, NewProcessName: 'C:\\b.exe', SubjectUserName: 'bob', SubjectDomainName: 'CORP' }
    expect(read({ ...security, ...older })).toMatchObject({
      source: 'pc5.example.org|unknown',
      destination: 'pc5.example.org|c:\\b.exe',
      user: 'corp\\bob',
    })
  })

  it('of connections are flows, from the end that opened them', () => {
    const ends = { SourceIp: '10.0.0.1', SourcePort: '50000', DestinationIp: '::ffff:10.0.0.2', DestinationPort: '389' }
    const expected = {
      time,
      source: '10.0.0.1',
      destination: '10.0.0.2',
      sourcePort: 50000,
      destinationPort: 389,
      protocol: 'udp',
      kind: 'flow',
    }
    expect(read({ ...sysmon, EventID: 3, Protocol: 'udp', Initiated: 'true', ...ends })).toEqual(expected)
    const accepted = { SourceIp: '10.0.0.2', SourcePort: '389', DestinationIp: '10.0.0.1', DestinationPort: '50000' }
    expect(read({ ...sysmon, EventID: 3, Protocol: 'udp', Initiated: 'false', ...accepted })).toEqual(expected)
    const filtered = { SourceAddress: '10.0.0.1', SourcePort: '50000', DestAddress: '10.0.0.2', DestPort: '389' }
    expect(read({ ...security, EventID: '5156', Protocol: '17', ...filtered })).toEqual(expected)
  })

  it('of logons go from the remote end to the host, or from the user where there is none', () => {
    const who = { TargetUserName: 'Alice', TargetDomainName: 'CORP', LogonType: '3' }
    expect(read({ ...security, EventID: 4624, IpAddress: '10.0.0.9', ...who })).toEqual({
      time,
      source: '10.0.0.9',
      destination: 'pc5.example.org',
      kind: 'logon',
      connectionState: 'SF',
      user: 'corp\\alice',
      detail: 'type 3',
    })
    const failed = { ...security, EventID: 4625, IpAddress: '-', ...who }
    expect(read({ ...failed, WorkstationName: 'PC7' })).toMatchObject({ source: 'pc7', connectionState: 'REJ' })
    expect(read({ ...failed, WorkstationName: 'PC5' })).toMatchObject({ source: 'corp\\alice' })
    const other = { EventID: 4648, TargetServerName: 'DC1.example.org', SubjectUserName: 'bob', ...who }
    expect(read({ ...security, ...other })).toMatchObject({ source: 'pc5.example.org', destination: 'dc1.example.org' })
    expect(read({ ...security, ...other, TargetServerName: 'localhost' })).toMatchObject({ source: 'bob' })
  })

  it('of Kerberos and NTLM say whether the domain controller agreed', () => {
    const who = { TargetUserName: 'alice@X', IpAddress: '::ffff:10.0.0.9', Workstation: 'PC7' }
    const ticket = { ...security, EventID: 4769, ServiceName: 'svc', Status: '0x0', ...who }
    expect(read(ticket)).toMatchObject({ kind: 'kerberos', source: '10.0.0.9', connectionState: 'SF', detail: 'svc' })
    expect(read({ ...ticket, EventID: 4771 })).toMatchObject({ connectionState: 'REJ' })
    const ntlm = { ...security, EventID: 4776, Status: '0xc000006a', ...who, IpAddress: undefined }
    expect(read(ntlm)).toMatchObject({ kind: 'ntlm', source: 'pc7', connectionState: 'REJ' })
  })

  it('take the time that has a zone', () => {
    const flow = { SourceAddress: '10.0.0.1', DestAddress: '10.0.0.2', EventID: 5156 }
    const local = { EventTime: '2020-10-22 04:29:52' }
    expect(read({ ...security, ...local, ...flow })).toMatchObject({ time })
    expect(read({ Channel: 'Security', ...local, ...flow })).toMatchObject({ time: time - 4 * 3600 })
    const impossible = { ...security, '@timestamp': '2020-02-30T00:00:00Z', ...flow }
    expect(read(impossible)).toEqual({ ok: false, reason: 'time' })
  })

  it('of other ids are skipped by group and id, and broken ones refused', () => {
    expect(read({ ...sysmon, EventID: 12 })).toEqual({ skip: true, kind: 'sysmon-12' })
    expect(read({ ...at, Channel: 'Windows PowerShell', EventID: 800 })).toEqual({
      skip: true,
      kind: 'windows powershell',
    })
    expect(read({ ...security, EventID: 4624, Hostname: '../x' })).toEqual({ ok: false, reason: 'host' })
    expect(read({ ...security, EventID: 4624 })).toEqual({ ok: false, reason: 'user' })
    expect(read({ ...sysmon, EventID: 1 })).toEqual({ ok: false, reason: 'image' })
    expect(read({ ...sysmon, EventID: 'x' })).toEqual({ ok: false, reason: 'event-id' })
    expect(windowsJsonParser('contacts').parse(JSON.stringify({ ...security, EventID: 4624 }))).toEqual({
      skip: true,
      kind: 'security-4624',
    })
  })
})
