import { describe, expect, it } from 'vitest'
import { isFlood, labelOf } from './labels.ts'

describe('labels', () => {
  it('are unknown unless a column says benign or malicious', () => {
    expect(['Benign', 'normal', 'Malicious', 'ATTACK'].map(labelOf)).toEqual(['benign', 'benign', 'attack', 'attack'])
    expect(['', '-', '(empty)', 'Unknown', 'Background'].map(labelOf)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  it('tell floods from stealthy attacks', () => {
    for (const name of ['neptune', 'smurf', 'snmpgetattack', 'pod', 'back', 'mailbomb', 'T1498', 'T1498.001', 'T1499'])
      expect(isFlood(name)).toBe(true)
    for (const name of ['satan', 'ipsweep', 'warez', 'T1046', 'T14980', '']) expect(isFlood(name)).toBe(false)
  })
})
