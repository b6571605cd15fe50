/** Reading logs on one core: parsers on files in the page cache, and DARPA-98 from its zip to a data set. */

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { ingest } from '../src/node/ingest.ts'
import { createQuarantine } from '../src/node/ingest/quarantine.ts'
import { readLogs } from '../src/node/ingest/survey.ts'
import { writeTraffic } from '../src/node/write-traffic.ts'
import { sharedPath } from '../test/shared.ts'
import { sideBySide, type Timing } from './measure.ts'
import { duration, rate, type Row, type Section, skipped } from './report.ts'

const ZEEK_ROWS = 400_000
/** So many lines at least, by repeating a capture. */
const LINES_MIN = 200_000

interface Corpus {
  readonly name: string
  readonly unit: string
  readonly path: string
  readonly lines: number
  readonly note: string
}

interface Read {
  readonly timing: Timing
  /** Processor time of one run, milliseconds; the decompressing and collecting threads included. */
  readonly cpuMs: number
}

const megabytes = (path: string): string => `${(statSync(path).size / 1e6).toFixed(0)} MB`

async function zeek(directory: string, seed: string): Promise<Corpus> {
  const { sites } = await writeTraffic({ directory, sites: 1, seed, interactionsPerSite: ZEEK_ROWS })
  const path = sites[0]?.path ?? ''
  const note = `${megabytes(path)}, 15 columns, generated`
  return { name: 'Zeek TSV, conn', unit: 'row', path, lines: sites[0]?.interactions ?? 0, note }
}

/** A capture, unpacked and repeated into one file; undefined where there is none. */
function repeated(directory: string, name: string, unit: string, file: string): Corpus | undefined {
  const source = sharedPath(`data/${file}`)
  if (source === undefined) return undefined
  const text = gunzipSync(readFileSync(source)).toString()
  const rows = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length
  const times = Math.ceil(LINES_MIN / rows)
  const path = join(directory, file.replaceAll('/', '-'))
  writeFileSync(path, text.repeat(times))
  return { name, unit, path, lines: rows * times, note: `${megabytes(path)}, ${times} times ${file}` }
}

async function read({ path, lines }: Corpus): Promise<void> {
  let seen = 0
  const options = { format: 'auto', selection: 'all', quarantine: createQuarantine() } as const
  const { sources } = await readLogs(
    [path],
    options,
    () => seen++,
    async () => undefined,
  )
  const [source] = sources
  const skippedLines = Object.entries(source?.source.skipped ?? {}).filter(([kind]) => kind !== 'comment')
  const accounted = seen + skippedLines.reduce((sum, [, count]) => sum + count, 0)
  if (accounted !== lines) throw new Error(`${accounted} of ${lines} records of ${path} are accounted for`)
}

async function timed(corpora: readonly Corpus[], runs: number): Promise<Map<string, Read>> {
  const cpu = new Map<string, number>()
  const contenders = corpora.map((corpus) => [
    corpus.name,
    async () => {
      const before = process.cpuUsage()
      await read(corpus)
      const { user, system } = process.cpuUsage(before)
      cpu.set(corpus.name, Math.min(cpu.get(corpus.name) ?? Number.POSITIVE_INFINITY, (user + system) / 1000))
    },
  ])
  const timings = (await sideBySide(Object.fromEntries(contenders), runs)) as Record<string, Timing>
  return new Map(
    Object.entries(timings).map(([name, timing]) => [name, { timing, cpuMs: cpu.get(name) ?? Number.NaN }]),
  )
}

const DARPA_ROWS = 4_554_344

async function darpa(directory: string, runs: number): Promise<readonly Row[]> {
  const path = sharedPath('data/darpa98/darpa_original.zip')
  if (path === undefined) return [skipped('DARPA-98', 'the shared data set is not here')]
  const zipped = { name: 'DARPA-98', unit: 'row', path, lines: DARPA_ROWS, note: '' }
  let cpuMs = Number.POSITIVE_INFINITY
  const whole = async (): Promise<void> => {
    const before = process.cpuUsage()
    const to = { directory: join(directory, 'darpa'), quarantineDirectory: directory }
    const { info } = await ingest({ paths: [path], format: 'auto', localNetworks: [], ...to })
    if (info.rows !== DARPA_ROWS) throw new Error(`${info.rows} rows of DARPA-98`)
    const { user, system } = process.cpuUsage(before)
    cpuMs = Math.min(cpuMs, (user + system) / 1000)
  }
  const timings = await sideBySide({ parsed: () => read(zipped), whole }, runs)
  const size = `${(statSync(join(directory, 'darpa', 'features.f32')).size / 1e9).toFixed(1)} GB written`
  return [
    duration('DARPA-98, zip to interactions', timings.parsed, '4,554,344 rows'),
    duration(
      'DARPA-98, zip to data set',
      timings.whole,
      `with features, ${size}; ${cpuMs.toFixed(0)} ms of processor time`,
    ),
  ]
}

export async function benchIngest(seed: string, runs: number): Promise<Section> {
  const directory = mkdtempSync(join(tmpdir(), 'entente-bench-ingest-'))
  try {
    const captures: (readonly [string, string, string])[] = [
      ['Zeek TSV, dns', 'row', 'zeek/wrccdc2018.dns.log.gz'],
      ['Zeek JSON, all kinds', 'record', 'zeek/otrf-apt29-day2.combined_zeek.jsonl.gz'],
      ['Suricata EVE', 'event', 'suricata/slips-test6.eve.json.gz'],
    ]
    const others = captures.map(([name, unit, file]) => repeated(directory, name, unit, file))
    const corpora = [await zeek(directory, seed), ...others.filter((corpus) => corpus !== undefined)]
    const reads = await timed(corpora, runs)
    const rows = corpora.map(({ name, unit, lines, note }) => {
      const { timing, cpuMs } = reads.get(name) as Read
      return rate(
        name,
        lines / 1000,
        `k ${unit}s`,
        timing,
        `${note}; ${(lines / cpuMs).toFixed(0)} k/s of processor time`,
      )
    })
    const missing = captures.filter((_, at) => others[at] === undefined)
    return {
      title: 'Ingest',
      setting: `lines to interactions, every record selected, one thread, files in the page cache; seed ${seed}`,
      rows: [
        ...rows,
        ...missing.map(([name]) => skipped(name, 'the shared data set is not here')),
        ...(await darpa(directory, Math.min(runs, 3))),
      ],
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
