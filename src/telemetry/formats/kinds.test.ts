import { describe, expect, it } from 'vitest'
import { suricataEveParser } from './suricata-eve.ts'
import { zeekJsonParser } from './zeek-json.ts'
import { zeekTsvParser } from './zeek-tsv.ts'

const ENDS = 'ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p'
const AT = '1.5\tC1\t10.0.0.1\t1024\t10.0.0.2\t88'
const base = { time: 1.5, source: '10.0.0.1', destination: '10.0.0.2', sourcePort: 1024, destinationPort: 88 }

function tsv(path: string, columns: string, cells: string) {
  const parser = zeekTsvParser('all')
  parser.parse(`#path\t${path}`)
  parser.parse(`#fields\t${ENDS}\t${columns}`)
  return parser.parse(`${AT}\t${cells}`)
}

/** The same record as JSON, with underscored names and unset fields left out. */
function json(path: string, columns: string, cells: string) {
  const record: Record<string, unknown> = {
    '@stream': path,
    'ts': 1.5,
    'id_orig_h': '10.0.0.1',
    'id_orig_p': 1024,
    'id_resp_h': '10.0.0.2',
    'id_resp_p': 88,
  }
  const values = cells.split('\t')
  for (const [at, column] of columns.split('\t').entries()) {
    const value = values[at] as string
    if (value === 'T' || value === 'F') record[column] = value === 'T'
    else if (value !== '-') record[column] = /^[0-9.]+$/.test(value) ? Number(value) : value
  }
  return zeekJsonParser('all').parse(JSON.stringify(record))
}

describe('Zeek logs of other kinds', () => {
  it.each([
    [
      'dns',
      'proto\trtt\tquery',
      'udp\t0.25\ta.example',
      { kind: 'dns', protocol: 'udp', service: 'dns', durationSeconds: 0.25, detail: 'a.example' },
    ],
    [
      'http',
      'method\thost\turi\trequest_body_len\tresponse_body_len',
      'GET\tb.example\t/x\t7\t9',
      { kind: 'http', protocol: 'tcp', service: 'http', sourceBytes: 7, destinationBytes: 9, detail: 'b.example/x' },
    ],
    [
      'ssl',
      'version\tserver_name',
      'TLSv13\tc.example',
      { kind: 'tls', protocol: 'tcp', service: 'ssl', detail: 'c.example' },
    ],
    [
      'kerberos',
      'client\tservice\tsuccess',
      'Alice/X\tkrbtgt/X\tF',
      { kind: 'kerberos', service: 'kerberos', user: 'alice/x', detail: 'krbtgt/X', connectionState: 'REJ' },
    ],
    [
      'ntlm',
      'username\thostname\tdomainname\tsuccess',
      'Bob\tPC1\tCORP\tT',
      { kind: 'ntlm', protocol: 'tcp', service: 'ntlm', user: 'corp\\bob', detail: 'PC1', connectionState: 'SF' },
    ],
    ['notice', 'proto\tnote', 'tcp\tScan::Port_Scan', { kind: 'notice', protocol: 'tcp', detail: 'Scan::Port_Scan' }],
  ])('%s say the same in TSV and in JSON', (path, columns, cells, expected) => {
    expect(tsv(path, columns, cells)).toEqual({ ok: true, interaction: { ...base, ...expected } })
    expect(json(path, columns, cells)).toEqual(tsv(path, columns, cells))
  })

  it('are left out where each connection is to count once', () => {
    const parser = zeekTsvParser()
    parser.parse('#path\tdns')
    parser.parse(`#fields\t${ENDS}`)
    expect(parser.parse(AT)).toEqual({ skip: true, kind: 'dns' })
  })

  it('that hold no contacts are skipped by their path', () => {
    expect(tsv('weird', 'name', 'x')).toEqual({ skip: true, kind: 'weird' })
    expect(json('capture_loss', 'name', 'x')).toEqual({ skip: true, kind: 'capture_loss' })
  })

  it('take the ends of a notice from src and dst, and skip one that is about no contact', () => {
    const parser = zeekTsvParser('all')
    for (const line of ['#path\tnotice', '#fields\tts\tid.orig_h\tid.resp_h\tsrc\tdst\tp\tnote']) parser.parse(line)
    expect(parser.parse('2\t-\t-\tfe80::1\tFE80::2\t22\tN')).toEqual({
      ok: true,
      interaction: {
        time: 2,
        source: 'fe80::1',
        destination: 'fe80::2',
        destinationPort: 22,
        kind: 'notice',
        detail: 'N',
      },
    })
    expect(parser.parse('2\t-\t-\t10.0.0.1\t-\t-\tN')).toEqual({ skip: true, kind: 'notice-without-ends' })
  })

  it.each([
    ['1.5\tC1\t10.0.0.1', 'field-count'],
    [AT.replace('1.5', 'x'), 'time'],
    [AT.replace('10.0.0.2', '010.0.0.2'), 'address'],
    [AT.replace('\t88', '\t99999'), 'port'],
  ])('refuse %j: %s', (line, reason) => {
    const parser = zeekTsvParser('all')
    for (const header of ['#path\tssl', `#fields\t${ENDS}`]) parser.parse(header)
    expect(parser.parse(line)).toEqual({ ok: false, reason })
  })

  it('are recognised by their fields where the record does not name its log', () => {
    const record = { 'ts': 1, 'id.orig_h': '10.0.0.1', 'id.resp_h': '10.0.0.2', 'query': 'q', 'qtype': 1 }
    expect(zeekJsonParser('all').parse(JSON.stringify(record))).toMatchObject({ interaction: { kind: 'dns' } })
  })
})

describe('Suricata EVE of other kinds', () => {
  const ends = { timestamp: '2021-06-06T16:00:10+0000', src_ip: '10.0.0.1', dest_ip: '10.0.0.2', proto: 'TCP' }
  const parse = (record: object) => suricataEveParser('all').parse(JSON.stringify({ ...ends, ...record }))

  it.each([
    ['dns', { type: 'query', rrname: 'a.example' }, { service: 'dns', detail: 'a.example' }],
    ['dns', { version: 3, type: 'request', queries: [{ rrname: 'b.example' }] }, { detail: 'b.example' }],
    ['http', { hostname: 'h', url: '/u', length: 12 }, { service: 'http', destinationBytes: 12, detail: 'h/u' }],
    ['tls', { sni: 's.example' }, { service: 'tls', detail: 's.example' }],
  ])('%s become interactions', (event_type, about, expected) => {
    expect(parse({ event_type, [event_type]: about })).toMatchObject({
      ok: true,
      interaction: { time: 1622995210, kind: event_type, protocol: 'tcp', ...expected },
    })
  })

  it('count a DNS answer with its query', () => {
    for (const type of ['answer', 'response'])
      expect(parse({ event_type: 'dns', dns: { type } })).toEqual({ skip: true, kind: 'dns-answer' })
  })

  it('let every alert out at once, and still label its flow', () => {
    const parser = suricataEveParser('all')
    const alert = (severity: number) =>
      JSON.stringify({ ...ends, flow_id: 7, event_type: 'alert', alert: { severity, category: 'C', signature: 'S' } })
    expect(parser.parse(alert(3))).toMatchObject({ interaction: { kind: 'alert', detail: 'S' } })
    expect(parser.parse(alert(3))).not.toHaveProperty('interaction.label')
    expect(parser.parse(alert(1))).toMatchObject({ interaction: { label: 'attack', technique: 'C' } })
    const flow = JSON.stringify({ ...ends, flow_id: 7, event_type: 'flow', flow: { alerted: false } })
    expect(parser.parse(flow)).toMatchObject({ interaction: { kind: 'flow', label: 'attack', technique: 'C' } })
    expect(parser.finish()).toEqual([])
  })
})
