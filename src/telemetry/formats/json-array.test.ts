import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeInteraction, interactionJsonParser } from './interaction-json.ts'
import { arrayRecords, RECORD_LENGTH_MAX } from './json-array.ts'

function recordsOf(text: string): string[] {
  const records = arrayRecords()
  return text.split('\n').flatMap((line) => [...records.push(line)])
}

describe('a JSON array', () => {
  it('gives its objects one by one, however it is laid out', () => {
    const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { minKeys: 1 }), {
      minLength: 1,
    })
    fc.assert(
      fc.property(objects, fc.constantFrom(0, 1, 4), (values, indent) => {
        const expected = JSON.parse(JSON.stringify(values)) as unknown
        expect(recordsOf(JSON.stringify(values, null, indent)).map((text) => JSON.parse(text) as unknown)).toEqual(
          expected,
        )
      }),
    )
  })

  it('is not what a file of lines is taken for', () => {
    expect(recordsOf('\n{"a":1}\n[1]\nx')).toEqual(['', '{"a":1}', '[1]', 'x'])
  })

  it('gives up a record without end in bounded memory', () => {
    const records = arrayRecords()
    records.push('[ {')
    const line = 'x'.repeat(1000)
    const out: string[] = []
    for (let i = 0; i < 1100; i++) out.push(...records.push(line))
    expect(out.map((text) => text.length)).toEqual([RECORD_LENGTH_MAX])
    expect(records.push('{"a":1}')).toEqual(['{"a":1}'])
    records.push('{"a":')
    expect(records.finish()).toBe('{"a":\n')
  })
})

describe('recorded interactions', () => {
  it('come back as they were', () => {
    const interaction = {
      time: 1.5,
      source: '2001:db8::1',
      destination: '10.0.0.1',
      kind: 'flow',
      destinationPort: 53,
      sourceBytes: 7,
      protocol: 'udp',
      label: 'attack',
      technique: 'T1046',
      detail: 'd',
    } as const
    expect(interactionJsonParser().parse(encodeInteraction(interaction))).toEqual({ ok: true, interaction })
    const process = { time: 2, source: 'pc|a', destination: 'pc|b', kind: 'process', user: 'x\\y' }
    expect(interactionJsonParser('all').parse(encodeInteraction(process))).toEqual({ ok: true, interaction: process })
    expect(interactionJsonParser().parse(encodeInteraction(process))).toEqual({ skip: true, kind: 'process' })
  })

  it.each([
    [{ time: 1, source: 'pc', destination: '10.0.0.1', kind: 'flow' }, 'address'],
    [{ time: -1, source: '10.0.0.1', destination: '10.0.0.1', kind: 'flow' }, 'time'],
    [{ time: 1, source: '10.0.0.1', destination: '10.0.0.1', kind: 'other' }, 'kind'],
    [{ time: 1, source: '10.0.0.1', destination: '10.0.0.1', kind: 'dns', sourceBytes: -1 }, 'number'],
    [{ time: 1, source: '10.0.0.1', destination: '10.0.0.1', kind: 'dns', sourcePort: 1.5 }, 'port'],
  ])('are refused when they are damaged: %j', (record, reason) => {
    expect(interactionJsonParser('all').parse(JSON.stringify(record))).toEqual({ ok: false, reason })
  })
})
