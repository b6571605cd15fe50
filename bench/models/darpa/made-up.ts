/** A few thousand made-up rows in the form of the capture, for the test that keeps this bench alive without the data. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { prng } from '../../../src/base/prng.ts'
import { DARPA_SITES } from '../../../src/telemetry/sites.ts'

const TICKS = 600
const ROWS_A_TICK = 12
const FAMILIES = ['ipsweep', 'portsweep', 'satan', 'dict', 'neptune']

const padded = (address: string): string =>
  address
    .split('.')
    .map((part) => part.padStart(3, '0'))
    .join('.')

export function writeMadeUpCapture(path: string): string {
  const { below } = prng('made-up capture')
  const networks = DARPA_SITES.map(({ localNetworks }) => (localNetworks[0] ?? '').replace(/\.0\/24$/, ''))
  const inside = (site: number): string => padded(`${networks[site % networks.length]}.${1 + below(20)}`)
  const outside = (): string => padded(`9.9.${below(3)}.${1 + below(50)}`)
  const lines: string[] = []
  for (let tick = 0; tick < TICKS; tick++) {
    const hour = String(Math.floor(tick / 60) % 24).padStart(2, '0')
    const stamp = `06/${String(1 + Math.floor(tick / 1440)).padStart(2, '0')}/1998-${hour}:${String(tick % 60).padStart(2, '0')}`
    const family = tick % 30 < 5 ? FAMILIES[Math.floor(tick / 30) % FAMILIES.length] : undefined
    for (let i = 0; i < ROWS_A_TICK; i++) {
      const attack = family !== undefined && i % 3 === 0
      const source = attack || below(3) === 0 ? outside() : inside(i)
      lines.push(`${source},${inside(i)},${stamp},${attack ? family : '-'}`)
    }
  }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}
