import { describe, expect, it } from 'vitest'
import { argusState, netflowCsvParser } from './netflow-csv.ts'

const CTU = 'StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label'
const row = (changes: Record<string, string> = {}): string => {
  const cells =
    '2011/08/10 09:46:59.607825,1.5,tcp,94.44.127.113,1577,   ->,147.32.84.59,6881,S_RA,0,0,4,276,156,flow=Background'
  const names = CTU.split(',')
  return cells
    .split(',')
    .map((cell, at) => changes[names[at] as string] ?? cell)
    .join(',')
}

function read(header: string, ...lines: string[]) {
  const parser = netflowCsvParser()
  parser.parse(header)
  const parsed = lines.map((line) => parser.parse(line)).at(-1)
  return parsed !== undefined && 'ok' in parsed && parsed.ok ? parsed.interaction : parsed
}

describe('binetflow', () => {
  it('becomes a flow with both directions', () => {
    expect(read(CTU, row())).toEqual({
      time: 1312969619.607825,
      source: '94.44.127.113',
      sourcePort: 1577,
      destination: '147.32.84.59',
      destinationPort: 6881,
      kind: 'flow',
      protocol: 'tcp',
      durationSeconds: 1.5,
      sourceBytes: 156,
      destinationBytes: 120,
      connectionState: 'REJ',
    })
  })

  it('knows only what comes from a bot or a normal host', () => {
    const labelled = (Label: string) => read(CTU, row({ Label }))
    expect(labelled('flow=From-Botnet-V42-TCP-CC1-HTTP')).toMatchObject({ label: 'attack', technique: 'TCP-CC1-HTTP' })
    expect(labelled('flow=From-Normal-V42-Grill')).toMatchObject({ label: 'benign' })
    for (const text of ['flow=To-Botnet-V42-UDP', 'flow=To-Normal-V42', 'flow=Background-UDP'])
      expect(labelled(text)).not.toHaveProperty('label')
  })

  it('turns a contact that the right end opened', () => {
    expect(read(CTU, row({ Dir: '  <-' }))).toMatchObject({
      source: '147.32.84.59',
      sourcePort: 6881,
      destinationPort: 1577,
      sourceBytes: 120,
      destinationBytes: 156,
    })
    expect(read(CTU, row({ Dir: '  <->' }))).toMatchObject({ source: '94.44.127.113' })
  })

  it('takes IPv6 ends, hexadecimal ports and none at all', () => {
    const odd = row({ SrcAddr: 'FE80::1', DstAddr: 'ff02:0:0::1', Sport: '0x0303', Dport: '', Proto: 'ipv6-icmp' })
    expect(read(CTU, odd)).toMatchObject({ source: 'fe80::1', destination: 'ff02::1', sourcePort: 771 })
    expect(read(CTU, odd)).not.toHaveProperty('destinationPort')
  })

  it.each([
    [row({ StartTime: '2011/02/30 09:46:59' }), 'time'],
    [row({ SrcAddr: '00:15:17:2c:e5:2d' }), 'address'],
    [row({ Sport: '70000' }), 'port'],
    [row({ SrcBytes: '277' }), 'number'],
    [row({ Dur: '-1' }), 'number'],
    [row().slice(0, 60), 'field-count'],
  ])('refuses %s: %s', (line, reason) => expect(read(CTU, line)).toEqual({ ok: false, reason }))

  it('refuses rows before a header', () => {
    expect(netflowCsvParser().parse(row())).toEqual({ ok: false, reason: 'no-header' })
  })

  it.each([
    ['S_', 'S0'],
    ['FSPA_FSPA', 'SF'],
    ['SRPA_SPA', 'RSTO'],
    ['SPA_SRPA', 'RSTR'],
    ['SPA_SPA', 'S1'],
    ['CON', 'SF'],
    ['INT', 'S0'],
    ['ECO', undefined],
  ])('state %s is %s', (state, zeek) => expect(argusState(state)).toBe(zeek))
})

describe('nfdump', () => {
  it('is read with the columns before 1.7, and its summary is none of them', () => {
    const header = 'ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt'
    const line = '2012-03-02 16:01:05,2012-03-02 16:01:06,1.0,10.0.0.1,2001:DB8::1,40000,443,TCP,.AP.SF,0,0,5,700,4,900'
    expect(read(header, line)).toEqual({
      time: 1330704065,
      durationSeconds: 1,
      source: '10.0.0.1',
      destination: '2001:db8::1',
      sourcePort: 40000,
      destinationPort: 443,
      protocol: 'tcp',
      kind: 'flow',
      sourcePackets: 5,
      sourceBytes: 700,
      destinationPackets: 4,
      destinationBytes: 900,
    })
    expect(read(header, 'Summary', 'flows,bytes,packets,avg_bps,avg_pps,avg_bpp', '1,2,3,4,5,6')).toEqual({
      skip: true,
      kind: 'summary',
    })
  })

  it('is read with the columns since 1.7', () => {
    const header = 'firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows'
    expect(read(header, '2012-03-02 16:01:05.250,0.5,UDP,10.0.0.1,5353,10.0.0.2,53,1,60,1')).toMatchObject({
      time: 1330704065.25,
      sourcePackets: 1,
      sourceBytes: 60,
      destinationPort: 53,
    })
  })
})
