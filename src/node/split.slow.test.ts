import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sharedPath } from '../../test/shared.ts'
import { DARPA_EPOCH, darpaCsvParser, tickClock } from '../telemetry/formats/darpa-csv.ts'
import { readLines } from './ingest/lines.ts'
import { splitCapture } from './split.ts'

const path = sharedPath('data/darpa98/darpa_original.zip')

describe('DARPA-98, the whole capture', () => {
  it.skipIf(path === undefined)(
    'has the counts that its description gives (reads shared data)',
    async () => {
      const clock = tickClock()
      const parser = darpaCsvParser(clock)
      const counts = { rows: 0, malicious: 0, refused: 0 }
      const hosts = new Set<string>()
      let last = 0
      for await (const { lines } of readLines(path as string)) {
        for (const line of lines) {
          const result = parser.parse(line)
          if (!('ok' in result)) continue
          counts.rows++
          if (!result.ok) counts.refused++
          else {
            if (result.interaction.label === 'attack') counts.malicious++
            hosts.add(result.interaction.source).add(result.interaction.destination)
            last = Math.max(last, result.interaction.time)
          }
        }
      }
      expect(counts).toEqual({ rows: 4_554_344, malicious: 2_737_209, refused: 0 })
      expect(clock.ticks).toBe(46_572)
      expect(last).toBe(DARPA_EPOCH + 46_571 * 60)
      expect(hosts.size).toBe(25_524)
    },
    300_000,
  )

  it.skipIf(path === undefined)(
    'splits into the six organisations of its description (reads shared data)',
    async () => {
      const room = mkdtempSync(join(tmpdir(), 'entente-darpa-'))
      try {
        const report = await splitCapture({
          path: path as string,
          format: 'auto',
          sites: 6,
          directory: room,
          seed: '42',
        })
        expect(report.sites.map((site) => site.interactions)).toEqual([
          1_900_880, 838_370, 569_296, 495_082, 202_645, 530_350,
        ])
        expect(report.sites.map((site) => site.stealthyPositives)).toEqual([28_344, 34_045, 38_325, 247, 3, 10_362])
        expect(report).toMatchObject({ unassigned: 17_721, refusedLines: 0, trainUntil: DARPA_EPOCH + 32_600 * 60 })
      } finally {
        rmSync(room, { recursive: true, force: true })
      }
    },
    300_000,
  )
})
