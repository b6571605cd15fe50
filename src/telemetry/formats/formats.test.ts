import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LOG_FORMATS, type LineParser, type Selection } from '../interaction.ts'
import { DARPA_EPOCH, darpaCsvParser } from './darpa-csv.ts'
import { createParser, detectFormat } from './detect.ts'
import { isoSeconds, nonNegative } from './number.ts'
import { eveEnds, suricataEveParser } from './suricata-eve.ts'
import { zeekJsonParser } from './zeek-json.ts'
import { familyOf } from './zeek-kinds.ts'
import { zeekTsvParser } from './zeek-tsv.ts'

const PARSERS = LOG_FORMATS.flatMap((format) =>
  (['contacts', 'all'] as const).map((selection): [string, Selection] => [format, selection]),
) as [(typeof LOG_FORMATS)[number], Selection][]
const ZEEK_FIELDS =
  '#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlabel\ttechnique'
const ZEEK_ROW = '1.5\tC1\t10.0.0.1\t1024\t10.0.0.2\t445\tTCP\tsmb\t0.25\t10\t20\tSF\tMalicious\tT1021.002'

function parsed(parser: LineParser, line: string) {
  const result = parser.parse(line)
  return 'ok' in result && result.ok ? result.interaction : result
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return '{"ts":{},"conn_state":[]}'
  }
}

describe('every parser', () => {
  const awkward = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.string().map((text) => `{"event_type":"flow","flow":${JSON.stringify(text)}}`),
    fc.array(fc.string(), { maxLength: 20 }).map((fields) => fields.join('\t')),
    fc.array(fc.string(), { maxLength: 6 }).map((fields) => fields.join(',')),
    fc
      .record({
        EventID: fc.constantFrom(1, 3, '4624', 4648, 5156, {}),
        Channel: fc.constantFrom('Security', 'Sysmon', 3),
      })
      .chain((head) =>
        fc.anything().map((Hostname) => jsonOf({ ...head, Hostname, '@timestamp': '2020-01-01T00:00:00Z' })),
      ),
    fc.constantFrom('#path\tdns', '#path\tnotice', 'StartTime,SrcAddr,DstAddr,Label', 'Summary'),
    fc.array(fc.string(), { maxLength: 6 }).map((fields) => `#fields\t${fields.join('\t')}`),
    fc
      .record({ ts: fc.anything(), 'id.orig_h': fc.anything(), conn_state: fc.anything(), proto: fc.anything() })
      .map(jsonOf),
  )
  it.each(PARSERS)('of %s survives any lines and says why it refuses one, selecting %s', (format, selection) => {
    fc.assert(
      fc.property(fc.array(awkward, { maxLength: 8 }), (lines) => {
        const parser = createParser(format, selection)
        for (const line of [ZEEK_FIELDS, ...lines]) {
          const result = parser.parse(line)
          if ('ok' in result && !result.ok) expect(result.reason).toMatch(/^[a-z-]+$/)
        }
        expect(parser.finish().length).toBeLessThanOrEqual(lines.length)
      }),
    )
  })
})

describe('DARPA', () => {
  it('counts a minute for each stamp that appears first, dates that do not exist included', () => {
    const parser = darpaCsvParser()
    const times = [
      '07/31/1998-23:59',
      '07/32/1998-00:00',
      '07/32/1998-00:00',
      '08/01/1998-00:01',
      '07/31/1998-23:59',
    ].map((stamp) => {
      const interaction = parsed(parser, `172.016.112.020,192.168.001.010,${stamp},-`)
      return 'time' in interaction ? interaction.time - DARPA_EPOCH : undefined
    })
    expect(times).toEqual([0, 60, 60, 120, 0])
  })

  it('takes the tick from the line of a splitter', () => {
    const parser = darpaCsvParser()
    expect(parser.parse('#tick 100')).toEqual({ skip: true, kind: 'comment' })
    expect(parsed(parser, '172.016.112.020,192.168.001.010,06/01/1998-07:55,neptune')).toMatchObject({
      time: DARPA_EPOCH + 6000,
      technique: 'neptune',
      label: 'attack',
    })
  })

  it.each([
    ['172.016.112.020,192.168.001.010,06/01/1998-07:55', 'field-count'],
    ['172.016.112.020,192.168.001.010,06/01/1998-07:55,-,x', 'field-count'],
    ['172.016.112.999,192.168.001.010,06/01/1998-07:55,-', 'address'],
    ['172.016.112.020,192.168.001.010,6/1/1998,-', 'time'],
    ['172.016.112.020,192.168.001.010,06/01/1998-07:55,', 'label'],
  ])('refuses %s: %s', (line, reason) => {
    expect(darpaCsvParser().parse(line)).toEqual({ ok: false, reason })
  })
})

describe('Zeek TSV', () => {
  it('reads columns by the header, in any order', () => {
    const parser = zeekTsvParser()
    parser.parse('#fields\tid.resp_h\textra\tts\tid.orig_h')
    expect(parsed(parser, '10.0.0.2\tx\t1.5\t10.0.0.1')).toEqual({
      time: 1.5,
      source: '10.0.0.1',
      destination: '10.0.0.2',
      kind: 'flow',
    })
  })

  it('reads amounts, service and label, and leaves out what is unset', () => {
    const parser = zeekTsvParser()
    parser.parse(ZEEK_FIELDS)
    expect(parsed(parser, ZEEK_ROW)).toEqual({
      ...{
        time: 1.5,
        source: '10.0.0.1',
        destination: '10.0.0.2',
        kind: 'flow',
        sourcePort: 1024,
        destinationPort: 445,
        protocol: 'tcp',
        service: 'smb',
      },
      ...{
        durationSeconds: 0.25,
        sourceBytes: 10,
        destinationBytes: 20,
        connectionState: 'SF',
        label: 'attack',
        technique: 'T1021.002',
      },
    })
    const bare = parsed(parser, ZEEK_ROW.replace('0.25\t10\t20\tSF\tMalicious\tT1021.002', '-\t-\t-\tS0\tUnknown\t-'))
    expect(Object.keys(bare)).not.toEqual(expect.arrayContaining(['durationSeconds']))
    expect(bare).not.toHaveProperty('label')
  })

  it('skips logs of other kinds and takes another separator', () => {
    const dns = zeekTsvParser()
    dns.parse('#path\tdns')
    expect(dns.parse('anything')).toEqual({ skip: true, kind: 'dns' })
    const comma = zeekTsvParser()
    for (const line of ['#separator \\x2c', '#path,conn', '#fields,ts,id.orig_h,id.resp_h']) comma.parse(line)
    expect(parsed(comma, '7,1.1.1.1,2.2.2.2')).toMatchObject({ time: 7, destination: '2.2.2.2' })
  })

  it.each([
    [ZEEK_ROW.replace('1.5\t', '-1\t'), 'time'],
    [ZEEK_ROW.replace('1.5\t', '1e300\t'), 'time'],
    [ZEEK_ROW.replace('10.0.0.1', '10.0.0.01'), 'address'],
    [ZEEK_ROW.replace('\t445', '\t65536'), 'port'],
    [ZEEK_ROW.replace('\t20\t', '\tmany\t'), 'number'],
    [ZEEK_ROW.slice(0, 40), 'field-count'],
    [`${ZEEK_ROW}\tmore`, 'field-count'],
  ])('refuses a hostile row %#: %s', (line, reason) => {
    const parser = zeekTsvParser()
    parser.parse(ZEEK_FIELDS)
    expect(parser.parse(line)).toEqual({ ok: false, reason })
  })

  it('refuses rows before a header that names the columns needed', () => {
    expect(zeekTsvParser().parse(ZEEK_ROW)).toEqual({ ok: false, reason: 'no-header' })
    const parser = zeekTsvParser()
    parser.parse('#fields\tts\tuid')
    expect(parser.parse('1\tC')).toEqual({ ok: false, reason: 'no-header' })
  })

  it('names the family of a CTU label by what happened', () => {
    expect(familyOf('From_malicious-To_malicious-Malware_data_exfiltration-RemcosRAT')).toBe(
      'Malware_data_exfiltration-RemcosRAT',
    )
    expect(familyOf('From_benign-To_benign')).toBe('unnamed')
  })
})

describe('Zeek JSON', () => {
  const row = {
    ts: 1.5,
    'id.orig_h': '10.0.0.1',
    'id.orig_p': 1,
    'id.resp_h': '10.0.0.2',
    'id.resp_p': 53,
    proto: 'udp',
    conn_state: 'SF',
    orig_bytes: 7,
  }

  it('reads dotted and underscored names, and both forms of time', () => {
    const dotted = parsed(zeekJsonParser(), JSON.stringify(row))
    expect(dotted).toMatchObject({
      time: 1.5,
      source: '10.0.0.1',
      destinationPort: 53,
      sourceBytes: 7,
      connectionState: 'SF',
    })
    const underscored = JSON.stringify({ '@stream': 'conn', ...row, ts: '1970-01-01T00:00:01.500000Z' }).replaceAll(
      'id.',
      'id_',
    )
    expect(parsed(zeekJsonParser(), underscored)).toEqual(dotted)
  })

  it('skips other kinds and refuses wrong types', () => {
    expect(zeekJsonParser().parse(JSON.stringify({ ...row, _path: 'dns' }))).toEqual({ skip: true, kind: 'dns' })
    expect(zeekJsonParser().parse(JSON.stringify({ ...row, orig_bytes: '7' }))).toEqual({ ok: false, reason: 'number' })
    expect(zeekJsonParser().parse(JSON.stringify({ ...row, 'id.orig_p': 1.5 }))).toEqual({ ok: false, reason: 'port' })
    expect(zeekJsonParser().parse('{"ts":1')).toEqual({ ok: false, reason: 'json' })
  })
})

describe('Suricata EVE', () => {
  const ends = {
    timestamp: '2021-06-06T16:00:10.000000+0200',
    flow_id: 7,
    src_ip: '10.0.0.1',
    src_port: 5,
    dest_ip: '10.0.0.2',
    dest_port: 445,
    proto: 'TCP',
  }
  const flow = (alerted?: boolean) =>
    JSON.stringify({
      ...ends,
      event_type: 'flow',
      flow: {
        bytes_toserver: 9,
        pkts_toclient: 0,
        start: '2021-06-06T16:00:00+0200',
        end: '2021-06-06T16:00:04+0200',
        state: 'new',
        ...(alerted === undefined ? {} : { alerted }),
      },
    })
  const alert = (severity = 2) =>
    JSON.stringify({ ...ends, event_type: 'alert', alert: { severity, category: 'Misc Attack', signature: 's' } })

  it('labels a flow by the alert that came before it', () => {
    const parser = suricataEveParser()
    expect(parser.parse(alert())).toEqual({ skip: true, kind: 'alert' })
    expect(parsed(parser, flow(false))).toMatchObject({
      kind: 'flow',
      label: 'attack',
      technique: 'Misc Attack',
      connectionState: 'S0',
      durationSeconds: 4,
      sourceBytes: 9,
    })
    expect(parser.parse(alert())).toEqual({ skip: true, kind: 'alert-of-known-flow' })
    expect(parser.finish()).toEqual([])
  })

  it('makes an interaction of an alert whose flow never comes', () => {
    const parser = suricataEveParser()
    parser.parse(alert())
    expect(parser.finish()).toMatchObject([
      { kind: 'alert', label: 'attack', technique: 'Misc Attack', time: 1622988010 },
    ])
  })

  it('believes what a flow says of itself, and says nothing where it does not', () => {
    expect(parsed(suricataEveParser(), flow(true))).toMatchObject({ label: 'attack', technique: 'alerted' })
    expect(parsed(suricataEveParser(), flow(false))).toMatchObject({ label: 'benign' })
    expect(parsed(suricataEveParser(), flow())).not.toHaveProperty('label')
  })

  it('does not take information for an attack', () => {
    expect(suricataEveParser().parse(alert(3))).toEqual({ skip: true, kind: 'alert-informational' })
  })

  it('keeps a bounded number of waiting alerts: the oldest goes out on its own', () => {
    const parser = suricataEveParser()
    let out = 0
    for (let id = 0; id < 9000; id++)
      if ('ok' in parser.parse(alert().replace('"flow_id":7', `"flow_id":${id + 10}`))) out++
    expect(out).toBe(9000 - 8192)
    expect(parser.finish()).toHaveLength(8192)
  })

  it('names the ends of flows and alerts for a splitter', () => {
    expect(eveEnds(alert(3))).toEqual({ source: '10.0.0.1', destination: '10.0.0.2' })
    expect(eveEnds('{"event_type":"dns"}')).toBeUndefined()
    expect(eveEnds('}')).toBeUndefined()
  })
})

describe('the format', () => {
  it.each([
    [['', '#separator \\x09'], 'zeek-tsv'],
    [['{"ts":1,"uid":"C"}'], 'zeek-json'],
    [['{"timestamp":"x","event_type":"dns"}'], 'suricata-eve'],
    [['#tick 4', '172.016.112.020,192.168.001.010,06/01/1998-07:55,-'], 'darpa-csv'],
    [['[', '  {'], undefined],
    [['a,b,c,d'], undefined],
    [['{"EventID":1,"Channel":"Security"}'], 'windows-json'],
    [['[', '  {', '    "event_type": "alert"', '  },'], 'suricata-eve'],
    [['StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State'], 'netflow-csv'],
    [['ts,te,td,sa,da,sp,dp,pr,flg'], 'netflow-csv'],
    [['{"time":1,"source":"10.0.0.1","destination":"10.0.0.2","kind":"flow"}'], 'interaction-json'],
  ])('of %j is %s', (lines, format) => expect(detectFormat(lines)).toBe(format))
})

describe('numbers', () => {
  it('are decimal, finite and not negative', () => {
    expect(['1', '0.5', '.5', '4.2e+09', '1e3'].map(nonNegative)).toEqual([1, 0.5, 0.5, 4.2e9, 1000])
    for (const text of ['', '-1', '0x10', 'Infinity', 'NaN', '1 2', '1e999', '+1', 'e'])
      expect(nonNegative(text)).toBeNaN()
  })

  it('of ISO stamps honour the offset and keep microseconds', () => {
    expect(isoSeconds('2021-06-06T15:59:46.457984+0200')).toBeCloseTo(1622987986.457984, 5)
    expect(isoSeconds('2021-06-06T13:59:46.457984Z')).toBeCloseTo(1622987986.457984, 5)
    expect(isoSeconds('2024-02-29T00:00:00Z')).toBe(1709164800)
    for (const text of [
      '2021-02-29T00:00:00Z',
      '2021-04-31T00:00:00Z',
      '2021-13-06T15:59:46Z',
      '2021-06-06',
      '2021-06-06T25:00:00Z',
      `${'1'.repeat(50)}`,
    ])
      expect(isoSeconds(text)).toBeNaN()
  })
})
