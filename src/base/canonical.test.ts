import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sharedPath } from '../../test/shared.ts'
import { fromHex } from './bytes.ts'
import { canonicalBytes, canonicalJson } from './canonical.ts'
import { EntenteError } from './errors.ts'

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof EntenteError) return error.code
    throw error
  }
  return 'accepted'
}

describe('canonical JSON (RFC 8785)', () => {
  it('of the example of section 3.2.2 is the text of section 3.2.3', () => {
    const input = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`
    expect(canonicalJson(JSON.parse(input))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  it('sorts members by UTF-16 units, as the example of section 3.2.3', () => {
    const input = String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`
    const values = Object.values(JSON.parse(canonicalJson(JSON.parse(input))) as Record<string, string>)
    // Integer-like members come first in any JavaScript object, so the text itself shows the order.
    expect(
      canonicalJson(JSON.parse(input))
        .match(/"([A-Z][^"]*)"/g)
        ?.map((quoted) => quoted.slice(1, -1)),
    ).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ])
    expect(values).toHaveLength(7)
  })

  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('writes the double %s of appendix B as %s', (hex, written) => {
    expect(canonicalJson(new DataView((fromHex(hex) as Uint8Array<ArrayBuffer>).buffer).getFloat64(0))).toBe(written)
  })

  it('refuses NaN, infinities and lone surrogates wherever they are', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, '\ud800', 'a\udc00b', 10n])
      for (const value of [bad, [bad], { a: { b: [bad] } }])
        expect(codeOf(() => canonicalJson(value))).toBe('invalid-request')
    expect(codeOf(() => canonicalJson({ '\ud800': 1 }))).toBe('invalid-request')
    expect(codeOf(() => canonicalJson(undefined))).toBe('invalid-request')
  })

  it('refuses a structure that contains itself', () => {
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    expect(codeOf(() => canonicalJson(loop))).toBe('invalid-request')
  })

  it('leaves out undefined members, and keeps members called __proto__ as data', () => {
    expect(canonicalJson({ b: undefined, a: 1 })).toBe('{"a":1}')
    const text = '{"__proto__":{"x":1},"constructor":2}'
    expect(canonicalJson(JSON.parse(text))).toBe(text)
  })

  it('of a text with duplicated members differs from the text: whoever compares notices', () => {
    for (const text of ['{"a":1,"a":2}', '{"a":1,"a":1}', '{"a":{"b":1,"b":1}}'])
      expect(canonicalJson(JSON.parse(text))).not.toBe(text)
  })

  it('does not depend on the order of members, and is a fixed point', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).toReversed())
        const text = canonicalJson(value)
        expect(canonicalJson(reversed)).toBe(text)
        expect(canonicalJson(JSON.parse(text))).toBe(text)
      }),
    )
  })

  it('of structures 100,000 levels deep needs no stack', () => {
    let deep: unknown = 0
    for (let i = 0; i < 100_000; i++) deep = [deep]
    expect(canonicalJson(deep)).toHaveLength(200_001)
  })
})

const folder = sharedPath('vectors/jcs-rfc8785/testdata')

describe.skipIf(!folder)('published files (reads shared vectors jcs-rfc8785)', () => {
  const read = (kind: string, name: string): string => readFileSync(join(folder ?? '', kind, name), 'utf8')
  const names = folder ? readdirSync(join(folder, 'input')) : []

  it('are all six there', () => expect(names).toHaveLength(6))

  it.each(names)('%s has the canonical text and bytes of its author', (name) => {
    const input: unknown = JSON.parse(read('input', name))
    expect(canonicalJson(input)).toBe(read('output', name))
    const hex = read('outhex', name.replace('.json', '.txt')).replaceAll(/\s/g, '')
    expect([...canonicalBytes(input)]).toEqual([...(fromHex(hex) as Uint8Array)])
  })
})
