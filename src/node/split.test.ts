import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sharedPath } from '../../test/shared.ts'
import { ingest } from './ingest.ts'
import { overlaySplit } from './split/overlay.ts'
import { hasBothClasses, splitCapture, type SplitReport } from './split.ts'

let room: string
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'entente-split-'))
})
afterEach(() => rmSync(room, { recursive: true, force: true }))

function split(path: string, sites: number, seed = 's'): Promise<SplitReport> {
  return splitCapture({ path, format: 'auto', sites, directory: join(room, `split-${seed}`), seed })
}

async function rowsOf({ path, localNetworks }: { path: string; localNetworks: readonly string[] }) {
  const { info, refusedLines } = await ingest({
    paths: [path],
    format: 'auto',
    localNetworks,
    directory: join(room, 'set'),
    quarantineDirectory: room,
  })
  return { ...info, refusedLines }
}

/** Twenty minutes of fifty rows, each minute sorted as in the original. */
function darpa(): string {
  const lines = Array.from({ length: 20 }, (_, minute) =>
    Array.from(
      { length: 50 },
      (_, i) =>
        `${i % 5 === 0 ? '010.000.000.001' : `172.016.112.${String(10 + i).padStart(3, '0')}`},172.016.11${2 + (i % 3)}.050,06/01/1998-08:${10 + minute},${i === 7 ? 'satan' : '-'}`,
    ).sort(),
  )
  const path = join(room, 'darpa.csv')
  writeFileSync(path, `${lines.flat().join('\n')}\n`)
  return path
}

describe('splitting DARPA', () => {
  it('keeps every row, gives it to its organisation, and cuts at 70 % of the ticks', async () => {
    const report = await split(darpa(), 3)
    expect(report.sites.map(({ name, interactions }) => [name, interactions])).toEqual([
      ['a', 340],
      ['b', 340],
      ['c', 320],
    ])
    expect(report).toMatchObject({
      format: 'darpa-csv',
      unassigned: 0,
      refusedLines: 0,
      trainUntil: 896_659_200 + 14 * 60,
    })
    expect(report.sites.reduce((sum, site) => sum + site.stealthyPositives, 0)).toBe(20)
    for (const site of report.sites) expect((await rowsOf(site)).rows).toBe(site.interactions)
  })

  it('shuffles inside minutes by the seed, and never across them', async () => {
    const [one, two, again] = [
      await split(darpa(), 1, 'one'),
      await split(darpa(), 1, 'two'),
      await split(darpa(), 1, 'one'),
    ]
    const text = (report: SplitReport): string => readFileSync(report.sites[0]?.path as string, 'utf8')
    expect(text(one)).toBe(text(again))
    expect(text(one)).not.toBe(text(two))
    const minutes = (report: SplitReport): string[] =>
      text(report)
        .split(/#tick \d+\n/)
        .map((part) => part.split('\n').sort().join('\n'))
    expect(minutes(one)).toEqual(minutes(two))
    const stamps = text(one)
      .split('\n')
      .flatMap((line) => line.split(',')[2] ?? [])
    expect(stamps).toEqual([...stamps].sort())
  })

  it('keeps one clock where a site has no traffic for a while', async () => {
    const path = join(room, 'gap.csv')
    const line = (site: number, minute: number): string =>
      `010.000.000.001,172.016.11${site}.050,06/01/1998-08:${minute},-`
    writeFileSync(path, [line(2, 10), line(3, 11), line(3, 12), line(2, 13)].join('\n'))
    const [a, b] = (await split(path, 2)).sites
    expect(await rowsOf(a as never)).toMatchObject({ timeFirst: 896_659_200, timeLast: 896_659_200 + 180 })
    expect(await rowsOf(b as never)).toMatchObject({ timeFirst: 896_659_260, timeLast: 896_659_320 })
  })

  it('has six organisations and no more', async () => {
    await expect(split(darpa(), 7)).rejects.toMatchObject({ code: 'invalid-request' })
  })
})

const captures = [
  'zeek/ctu-sme-11-win.conn.log.labeled.gz',
  'zeek/otrf-apt29-day2.combined_zeek.jsonl.gz',
  'zeek/slips-test9.conn.jsonl.gz',
  'suricata/slips-test6.eve.json.gz',
]

describe('splitting a capture by its networks', () => {
  it.each(captures)(
    'gives each interaction of %s to one site, in the very format (reads shared data)',
    async (name) => {
      const path = sharedPath(`data/${name}`)
      if (path === undefined) return
      const report = await split(path, 3)
      let rows = 0
      for (const site of report.sites) {
        const info = site.interactions === 0 ? { rows: 0, refusedLines: 0, labels: { attack: 0 } } : await rowsOf(site)
        expect(info).toMatchObject({ rows: site.interactions, refusedLines: 0, labels: { attack: site.positives } })
        rows += info.rows
      }
      expect(rows + report.unassigned).toBeGreaterThanOrEqual((await rowsOf({ path, localNetworks: [] })).rows)
    },
  )

  it.skipIf(sharedPath('data/zeek') === undefined)(
    'knows a capture without labels, and lays labelled campaigns over it (reads shared data)',
    async () => {
      const report = await split(sharedPath('data/zeek/otrf-apt29-day2.combined_zeek.jsonl.gz') as string, 2)
      expect(hasBothClasses(report)).toBe(false)
      const overlaid = await overlaySplit(report, { directory: join(room, 'overlaid'), seed: 's' })
      expect(overlaid.labels).toBe('synthetic-campaigns')
      expect(hasBothClasses(overlaid)).toBe(true)
      for (const [i, site] of overlaid.sites.entries()) {
        expect(site.interactions - site.positives).toBe(report.sites[i]?.interactions)
        expect(await rowsOf(site)).toMatchObject({
          rows: site.interactions,
          refusedLines: 0,
          labels: { attack: site.positives, stealthy: site.stealthyPositives, unknown: 0 },
        })
      }
    },
  )
})
