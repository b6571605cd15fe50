import { readFileSync } from 'node:fs'
import { zstdDecompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { sharedPath } from '../../../test/shared.ts'
import { NAMES, TECHNIQUE_IDS, techniqueOf } from './attack.ts'

interface StixObject {
  readonly type: string
  readonly revoked?: boolean
  readonly x_mitre_deprecated?: boolean
  readonly external_references?: readonly { readonly source_name: string; readonly external_id?: string }[]
}

describe('names of attacks', () => {
  const path = sharedPath('data/attack/enterprise-attack-v18.1-rebuilt-stix21.json.zst')

  it.skipIf(path === undefined)('lead to techniques that are live in ATT&CK 18.1 (reads shared data)', () => {
    const bundle = JSON.parse(zstdDecompressSync(readFileSync(path ?? '')).toString()) as { objects: StixObject[] }
    const live = new Set(
      bundle.objects
        .filter((one) => one.type === 'attack-pattern' && one.revoked !== true && one.x_mitre_deprecated !== true)
        .flatMap(
          (one) =>
            one.external_references?.find(({ source_name }) => source_name === 'mitre-attack')?.external_id ?? [],
        ),
    )
    expect(live.size).toBe(691)
    expect(TECHNIQUE_IDS.filter((id) => !live.has(id))).toEqual([])
  })

  it('stand once in the table, and are found however they are spelled', () => {
    const all = Object.values(NAMES).flatMap((names) => names.split('|'))
    expect(new Set(all).size).toBe(all.length)
    for (const name of all) expect(techniqueOf(name)).toMatch(/^T\d{4}/)
    expect(techniqueOf('Port_Scan')).toBe('T1046')
    expect(techniqueOf('DNS-Tunneling')).toBe('T1071.004')
    expect(techniqueOf('t1059.001')).toBe('T1059.001')
    expect(techniqueOf('From_malicious-To_benign-DDoS')).toBe('T1498')
    expect(techniqueOf('neptune')).toBe('T1499.001')
    expect(techniqueOf('constructor')).toBeUndefined()
  })
})
