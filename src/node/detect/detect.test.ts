import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { PassThrough, Writable } from 'node:stream'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { encodeSafetensors } from '../../models/formats/safetensors.ts'
import { createModel, type ThreatModelSpec } from '../../models/model.ts'
import { generateTraffic } from '../../telemetry/generator.ts'
import { featureNames } from '../../telemetry/features.ts'
import { PAIR_COLUMNS } from '../../telemetry/graph/layout.ts'
import { openDataset } from '../dataset-files.ts'
import { DEFAULT_MLP, DEFAULT_TGNN } from '../default-model.ts'
import { ingest } from '../ingest.ts'
import { loadKernels } from '../kernels.ts'
import { encodeFlat, modelMetadata } from '../model-files.ts'
import { readModelRows } from '../model-rows.ts'
import { chooseThreshold, rowsOf } from './choose-threshold.ts'
import { calibrate, detect, type DetectOptions, type DetectReport, learnHistory, type Memory } from './detect.ts'
import type { Detection } from './detection.ts'
import { noOutput } from './fixtures/no-output.ts'
import { type LoadedModel, loadModel } from './model-file.ts'
import { fileOutput, type Output, OutputClosed, streamOutput } from './output.ts'
import { RecentInteractions } from './recent.ts'
import { createRowSource, rowLayout } from './row-source.ts'
import { readThreshold, thresholdPath, writeThreshold } from './threshold-file.ts'
import { featureText } from './words.ts'

const small: ThreatModelSpec = { ...DEFAULT_TGNN, width: 8, hidden: [8], timeDimensions: 4 }
const specs = { mlp: { ...DEFAULT_MLP, hidden: [16] }, tgnn: small } as const
const refusedAs = (code: string): unknown => expect.objectContaining({ code })
const [site] = generateTraffic({ seed: 'detect', sites: 1, days: 4, interactionsPerSite: 3000 })
if (site === undefined) throw new Error('no traffic')
const lines = [...site.lines()]
const header = lines.filter((line) => line.startsWith('#'))
const records = lines.filter((line) => !line.startsWith('#'))
const text = (rows: readonly string[]): string => `${[...header, ...rows].join('\n')}\n`

let room: string
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'entente-detect-'))
})
afterEach(() => rmSync(room, { recursive: true, force: true }))

function place(name: string, content: string | Uint8Array): string {
  writeFileSync(join(room, name), content)
  return join(room, name)
}

async function modelOf(kind: keyof typeof specs, seed = 'detect'): Promise<LoadedModel> {
  const spec = specs[kind]
  const model = createModel(spec, loadKernels())
  const file = encodeFlat(model.layout, modelMetadata(spec, 'v1'), model.initialise(seed))
  return loadModel(place(`${kind}.safetensors`, file))
}

interface Collected {
  readonly detections: readonly Detection[]
  readonly report: DetectReport
}

const collecting = (into: Detection[]): Pick<DetectOptions, 'output' | 'format'> => ({
  output: noOutput,
  format: (detection) => void into.push(detection),
})

async function run(
  model: LoadedModel,
  paths: readonly string[],
  more: Partial<DetectOptions> = {},
  before?: Memory,
): Promise<Collected> {
  const detections: Detection[] = []
  const options: DetectOptions = {
    model,
    objective: 'supervised',
    localNetworks: site?.localNetworks ?? [],
    logFormat: 'auto',
    paths,
    threshold: null,
    rates: [],
    all: true,
    scoreMin: Number.NEGATIVE_INFINITY,
    explained: true,
    ...collecting(detections),
    ...more,
  }
  return { report: await detect(options, before), detections }
}

/** The first difference, since that of two long lists takes minutes to print. */
function expectSame(given: readonly number[], expected: readonly number[]): void {
  const at = expected.findIndex((value, i) => given[i] !== value)
  expect([given.length, at, given[at]]).toEqual([expected.length, -1, undefined])
}

const scoresOf = ({ detections }: Collected): number[] => detections.map(({ score }) => score)
const alertsOf = ({ detections }: Collected): Detection[] => detections.filter(({ alert }) => alert)

describe.each(['mlp', 'tgnn'] as const)('detection with a model of kind %s', (kind) => {
  it('scores each interaction once, in order, the same from a file, gzip, zstd and a directory', async () => {
    const model = await modelOf(kind)
    const plain = await run(model, [place('conn.log', text(records))])
    expect(plain.report).toMatchObject({ interactions: records.length, detections: records.length, alerts: 0 })
    expect(plain.detections.map(({ line }) => line)).toEqual(records.map((_, i) => header.length + i + 1))
    const packed = [place('c.log.gz', gzipSync(text(records))), place('c.log.zst', zstdCompressSync(text(records)))]
    mkdirSync(join(room, 'logs'))
    for (const [i, from] of [0, 1000, 2000].entries())
      place(`logs/${i}.log`, text(records.slice(from, i === 2 ? undefined : from + 1000)))
    for (const path of [...packed, join(room, 'logs')]) expectSame(scoresOf(await run(model, [path])), scoresOf(plain))
  })

  it('never looks ahead: without the second half, the first half is the same, reasons included', async () => {
    const model = await modelOf(kind)
    const whole = await run(model, [place('whole.log', text(records))], { threshold: 0 })
    const half = await run(model, [place('half.log', text(records.slice(0, 1500)))], { threshold: 0 })
    for (const [i, one] of half.detections.entries()) expect({ ...one, log: 'whole.log' }).toEqual(whole.detections[i])
    expect(alertsOf(half).length).toBeGreaterThan(10)
  })

  it('reads rows as training did: the stream and a stored data set give the same bits', async () => {
    const path = place('conn.log', text(records))
    const set = { directory: join(room, 'set'), quarantineDirectory: room }
    await ingest({ paths: [path], format: 'auto', localNetworks: site.localNetworks, ...set })
    const dataset = await openDataset(set.directory)
    const spec = specs[kind]
    const { width } = rowLayout(spec)
    const selected = Uint32Array.from(records, (_, i) => i)
    const stored = new Float32Array(records.length * width)
    await readModelRows(dataset, spec, selected, (rows, from, count) => {
      stored.set(rows.subarray(0, count * width), from * width)
    })
    await dataset.close()
    const scorer = createRowSource(spec, site.localNetworks)
    const streamed = new Float32Array(records.length * width)
    let at = 0
    const { report } = await run(await modelOf(kind), [path], {
      format: ({ interaction }) => scorer.push(interaction, streamed, width * at++),
    })
    expect(report.interactions).toBe(records.length)
    // Element by element: the difference of two such arrays would take minutes to print.
    expect(streamed.findIndex((value, i) => value !== stored[i])).toBe(-1)
  })

  it('explains alerts by what made the score higher, largest share first, and by the past only', async () => {
    const model = await modelOf(kind)
    const all = await run(model, [place('conn.log', text(records))])
    const threshold = [...scoresOf(all)].sort((a, b) => b - a)[100] ?? 0
    const alerts = alertsOf(await run(model, [join(room, 'conn.log')], { threshold, all: false }))
    expect(alerts.length).toBeGreaterThan(5)
    for (const { explanation, interaction } of alerts) {
      const shares = explanation?.features.map(({ share }) => share) ?? []
      expect(shares.length).toBeGreaterThan(0)
      expect(shares).toEqual(shares.toSorted((a, b) => b - a))
      expect(shares.every((share) => share > 0)).toBe(true)
      for (const past of explanation?.past ?? []) {
        expect(past.interaction.time).toBeLessThanOrEqual(interaction.time)
        expect(past.share === null).toBe(kind === 'mlp')
      }
    }
    // Of a graph network, links of the past carry a share of some alert.
    if (kind === 'tgnn') expect(alerts.some(({ explanation }) => (explanation?.past.length ?? 0) > 0)).toBe(true)
  })

  it('goes on where history and calibration end, and not if that would be to look ahead', async () => {
    const model = await modelOf(kind)
    const [before, after] = [place('1.log', text(records.slice(0, 1500))), place('2.log', text(records.slice(1500)))]
    const whole = await run(model, [before, after])
    const scoring = { model, objective: 'supervised', localNetworks: site.localNetworks, logFormat: 'auto' } as const
    const learnt = await run(model, [after], {}, await learnHistory([before], scoring))
    const calibrated = await calibrate({ ...scoring, paths: [before], perDay: 5, now: 0 })
    const continued = await run(model, [after], {}, calibrated.memory)
    for (const warm of [learnt, continued]) {
      expect(warm.report.memory).toBe('warm')
      expectSame(scoresOf(warm), scoresOf(whole).slice(1500))
    }
    const again = await run(model, [before], {}, await learnHistory([before], scoring))
    expect(again.report.memory).toBe('cold')
    expectSame(scoresOf(again), scoresOf(whole).slice(0, 1500))
  })

  it('raises at most as many alerts a day as asked for on the traffic of the calibration, once that is warm', async () => {
    const model = await modelOf(kind)
    const harmless = place('conn.log', text(records.filter((line) => !/\b(Malicious|Attack)\b/i.test(line))))
    const scoring = { model, objective: 'supervised', localNetworks: site.localNetworks, logFormat: 'auto' } as const
    const { file } = await calibrate({ ...scoring, paths: [harmless], perDay: 3, now: 0 })
    expect(file).toMatchObject({ model: model.digest, attackRows: 0, warmUpSeconds: 3600 })
    const found = await run(model, [harmless], { threshold: file.threshold, rates: file.rates, all: false })
    const from = Math.floor(Date.parse(file.firstTime) / 60_000) * 60 + file.warmUpSeconds
    const counted = found.detections.filter(({ interaction }) => interaction.time >= from)
    expect(counted.length).toBeLessThanOrEqual(3 * file.days)
    expect(counted.length).toBeGreaterThan(2 * file.days)
    for (const { alertsPerDay, score } of counted) expect(score >= file.threshold && alertsPerDay !== null).toBe(true)
  })
})

describe('surprise', () => {
  it('is a score of its own, of the link head', async () => {
    const model = await modelOf('tgnn')
    const path = place('conn.log', text(records.slice(0, 200)))
    const attack = scoresOf(await run(model, [path]))
    const surprise = scoresOf(await run(model, [path], { objective: 'link' }))
    expect(surprise.every((score, i) => score !== attack[i])).toBe(true)
  })
})

describe('alerts', () => {
  it('are one for each pair and minute; the rest is counted', async () => {
    const model = await modelOf('mlp')
    const rows = (time: number): string => `${time}\t10.20.0.1\t10.20.0.2`
    const log = `#fields\tts\tid.orig_h\tid.resp_h\n#path\tconn\n${[60, 61, 62, 120].map(rows).join('\n')}\n`
    const found = await run(model, [place('conn.log', log)], { threshold: -1000, all: false })
    expect(found.report).toMatchObject({ interactions: 4, alerts: 2, repeats: 2, detections: 2 })
    expect(found.detections.map(({ interaction }) => interaction.time)).toEqual([60, 120])
    expect(new Set(found.detections.map(({ id }) => id)).size).toBe(2)
  })

  it('and scores below the least one are not written', async () => {
    const model = await modelOf('mlp')
    const path = place('conn.log', text(records))
    const scores = scoresOf(await run(model, [path]))
    const middle = scores.toSorted((a, b) => a - b)[1500] ?? 0
    const found = await run(model, [path], { scoreMin: middle })
    expectSame(
      scoresOf(found),
      scores.filter((score) => score >= middle),
    )
  })
})

describe('a followed log', () => {
  it('gives what the whole file gives, across rotation and restart, and raises nothing twice', async () => {
    const model = await modelOf('tgnn')
    const whole = await run(model, [place('whole.log', text(records.slice(0, 900)))])
    const log = join(room, 'conn.log')
    const seen: Detection[] = []
    const following = () => {
      const stopped = new AbortController()
      const follow = { signal: stopped.signal, directory: join(room, 'state') }
      const done = run(model, [log], { follow, ...collecting(seen) })
      return { done, stop: () => (stopped.abort(), done) }
    }
    const until = (count: number): Promise<void> => vi.waitFor(() => expect(seen).toHaveLength(count), 20_000)
    writeFileSync(log, text(records.slice(0, 300)))
    const first = following()
    await until(300)
    expect((await first.stop()).report).toMatchObject({ interactions: 300, memory: 'cold' })
    appendFileSync(log, `${records.slice(300, 500).join('\n')}\n`)
    const second = following()
    await until(500)
    renameSync(log, join(room, 'conn.1.log'))
    writeFileSync(log, text(records.slice(500, 900)))
    await until(900)
    expect((await second.stop()).report).toMatchObject({ interactions: 600, memory: 'warm' })
    expectSame(
      seen.map(({ score }) => score),
      scoresOf(whole),
    )
    expect(seen.every(({ id }, i) => id === whole.detections[i]?.id)).toBe(true)
  })

  it('is one file', async () => {
    const model = await modelOf('mlp')
    const follow = { signal: AbortSignal.abort() }
    await expect(run(model, ['a', 'b'], { follow })).rejects.toThrow(refusedAs('config-invalid'))
  })
})

describe('the output', () => {
  it('that is closed by its reader ends the run quietly', async () => {
    const model = await modelOf('mlp')
    const path = place('conn.log', text([...records, ...records, ...records]))
    let flushes = 0
    const output: Output = {
      line: () => undefined,
      flush: async () => {
        if (++flushes > 1) throw new OutputClosed()
      },
      close: async () => undefined,
    }
    const { report } = await run(model, [path], { output })
    expect(report).toMatchObject({ outputClosed: true })
    expect(report.interactions).toBeLessThan(records.length * 3)
  })

  it('of a stream waits for a slow reader, and knows a broken pipe', async () => {
    const slow = new PassThrough({ highWaterMark: 16 })
    const output = streamOutput(slow)
    output.line({ text: 'x'.repeat(100) })
    let done = false
    const flushed = output.flush().then(() => (done = true))
    await new Promise(setImmediate)
    expect(done).toBe(false)
    slow.resume()
    await flushed
    const broken = new Writable({
      write: (_chunk, _encoding, callback) => callback(Object.assign(new Error('broken'), { code: 'EPIPE' })),
    })
    const gone = streamOutput(broken)
    gone.line(1)
    await gone.flush().catch(() => undefined)
    await new Promise(setImmediate)
    gone.line(2)
    await expect(gone.flush()).rejects.toThrow(OutputClosed)
  })

  it('to a file replaces it, or goes on at its end', async () => {
    const path = join(room, 'out.jsonl')
    for (const [append, expected] of [
      [false, '1\n'],
      [true, '1\n1\n'],
      [false, '1\n'],
    ] as const) {
      const output = await fileOutput(path, { append })
      output.line(1)
      await output.close()
      expect(readFileSync(path, 'utf8')).toBe(expected)
    }
  })
})

describe('a model file', () => {
  const write = (values: (length: number) => Float32Array, spec: unknown, layoutOf: ThreatModelSpec = specs.mlp) => {
    const model = createModel(layoutOf, loadKernels())
    const tensors = new Map(
      model.layout.map(({ name, shape }) => [name, { shape, values: values(shape.reduce((a, b) => a * b, 1)) }]),
    )
    return place(
      'model.safetensors',
      encodeSafetensors(tensors, { format: 'entente-model-1', model: JSON.stringify(spec) }),
    )
  }
  const zeros = (length: number): Float32Array => new Float32Array(length)

  it('is read whole, and named by the SHA-256 of its bytes', async () => {
    const { createHash } = await import('node:crypto')
    const path = write(zeros, specs.mlp)
    const digest = createHash('sha256').update(readFileSync(path)).digest('hex')
    expect(await loadModel(path)).toMatchObject({ digest, spec: specs.mlp })
  })

  it('that is missing, cut, of other tensors than its model has, or not finite is refused by its code', async () => {
    const path = write(zeros, specs.mlp)
    const whole = readFileSync(path)
    await expect(loadModel(join(room, 'none'))).rejects.toThrow(refusedAs('not-found'))
    for (const length of [0, 7, 100, whole.length - 4]) {
      writeFileSync(path, whole.subarray(0, length))
      await expect(loadModel(path)).rejects.toThrow(refusedAs('model-invalid'))
    }
    for (const spec of [{ ...specs.mlp, hidden: [17] }, { ...specs.mlp, hidden: [65536, 65536] }, small, 'x', null])
      await expect(loadModel(write(zeros, spec))).rejects.toThrow(refusedAs('model-invalid'))
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
      await expect(loadModel(write((n) => new Float32Array(n).fill(bad), specs.mlp))).rejects.toThrow(
        refusedAs('not-finite'),
      )
  })

  it('whose scores are no numbers, or whose rows this version does not make, scores nothing', async () => {
    const path = place('conn.log', text(records.slice(0, 10)))
    const huge = await loadModel(write((n) => new Float32Array(n).fill(3e38), specs.mlp))
    await expect(run(huge, [path])).rejects.toThrow(refusedAs('not-finite'))
    const other: ThreatModelSpec = { kind: 'mlp', inputs: 7, hidden: [4] }
    await expect(run(await loadModel(write(zeros, other, other)), [path])).rejects.toThrow(refusedAs('wrong-shape'))
  })
})

describe('the threshold', () => {
  const path = (): string => join(room, 'model.safetensors')
  const saved = async () => {
    const model = await modelOf('mlp')
    const scoring = { model, objective: 'supervised', localNetworks: ['10.20.0.0/16'], logFormat: 'auto' } as const
    return (await calibrate({ ...scoring, paths: [place('c.log', text(records))], perDay: 7, now: 0 })).file
  }

  it('is kept beside the model, refused for another, and gone when its file is deleted', async () => {
    const file = await saved()
    const digest = (await modelOf('mlp')).digest
    expect(await writeThreshold(path(), file)).toBe(thresholdPath(path()))
    expect(await readThreshold(path(), digest)).toEqual(file)
    const other = (await modelOf('mlp', 'other')).digest
    await expect(readThreshold(path(), other)).rejects.toThrow(refusedAs('config-invalid'))
    writeFileSync(thresholdPath(path()), '{}')
    await expect(readThreshold(path(), digest)).rejects.toThrow(refusedAs('config-invalid'))
    rmSync(thresholdPath(path()))
    expect(await readThreshold(path(), digest)).toBeUndefined()
  })

  it('is the one that is given, else the one chosen now, else the one that was kept, else there are scores only', async () => {
    const file = await saved()
    const wish = { modelPath: 'm', scoresOnly: false }
    expect(chooseThreshold({ ...wish, threshold: 4 }, file, file)).toMatchObject({ value: 4, from: 'option' })
    expect(chooseThreshold(wish, file)).toMatchObject({ value: file.threshold, from: 'calibration', perDay: 7 })
    expect(chooseThreshold(wish, undefined, file)).toMatchObject({ value: file.threshold, from: 'file' })
    const five = file.rates.find(({ perDay }) => perDay === 5)
    expect(chooseThreshold({ ...wish, perDay: 5 }, undefined, file)).toMatchObject({
      value: five?.threshold,
      perDay: 5,
    })
    expect(() => chooseThreshold({ ...wish, perDay: 6 }, undefined, file)).toThrow(refusedAs('config-invalid'))
    expect(() => chooseThreshold(wish)).toThrow(refusedAs('config-invalid'))
    expect(() => chooseThreshold({ ...wish, scoresOnly: true, perDay: 5 })).toThrow(refusedAs('config-invalid'))
    expect(chooseThreshold({ ...wish, scoresOnly: true })).toMatchObject({ value: null, from: 'none' })
  })

  it('holds for rows made in the same way only', async () => {
    const file = await saved()
    const same = { localNetworks: ['10.20.0.0/16'], objective: 'supervised' }
    expect(rowsOf({ localNetworks: [] }, file)).toEqual(same)
    expect(rowsOf({ localNetworks: ['10.20.0.0/16'], objective: 'supervised' }, file)).toEqual(same)
    expect(() => rowsOf({ localNetworks: ['10.0.0.0/8'] }, file)).toThrow(refusedAs('config-invalid'))
    expect(() => rowsOf({ localNetworks: [], objective: 'link' }, file)).toThrow(refusedAs('config-invalid'))
    expect(rowsOf({ localNetworks: [] }, undefined)).toEqual({ localNetworks: [], objective: 'supervised' })
  })
})

describe('the recent interactions', () => {
  const at = (time: number, source: string, destination = 'x') => ({ time, source, destination, kind: 'flow' })

  it('of a host are its latest, on either end, latest first', () => {
    const recent = new RecentInteractions(2)
    for (const one of [at(1, 'a', 'b'), at(2, 'b', 'a'), at(3, 'a', 'a'), at(4, 'c', 'b')]) recent.push(one)
    expect(recent.of('a').map(({ time }) => time)).toEqual([3, 2])
    expect(recent.of('b').map(({ time }) => time)).toEqual([4, 2])
    expect(recent.of('nobody')).toEqual([])
  })

  it('take bounded memory: who was idle longest is forgotten', () => {
    const recent = new RecentInteractions(2, 3)
    for (const [time, host] of ['a', 'b', 'c', 'd', 'b', 'e', 'f'].entries()) recent.push(at(time, host, host))
    const known = ['a', 'b', 'c', 'd', 'e', 'f'].filter((host) => recent.of(host).length > 0)
    expect(known).toEqual(['b', 'd', 'e', 'f'])
    expect(recent.of('b').map(({ time }) => time)).toEqual([4, 1])
  })
})

describe('words', () => {
  it('are there for every column, and read values back in their units', () => {
    for (const name of [...featureNames({ identity: true }), ...PAIR_COLUMNS]) {
      // Of a column without words its name is all there is to say.
      expect(featureText(name, 0, 0).startsWith(`${name}: `), name).toBe(false)
      for (const value of [-3, -1, -0.3, 0, 0.5, 1, 2, 3])
        expect(featureText(name, value, 0)).not.toMatch(/NaN|undefined/)
    }
    expect(featureText('newPair', 1, 0.034)).toBe(
      'the source never contacted this destination before: yes (usually in 3 %)',
    )
    const count = (n: number): number => Math.log1p(n) * 0.45 - 1
    expect(featureText('fanOut1h', count(120), count(2))).toBe(
      'different hosts that the source contacted in the last hour: 120 (usually 2)',
    )
    const gap = (seconds: number): number => Math.log1p(seconds) / 5 - 1
    expect(featureText('pairGap', gap(90), gap(7200))).toMatch(/: 1\.5 min \(usually 2 h\)$/)
    expect(featureText('bytesOut', gap(2_500_000), gap(10))).toMatch(/: 2\.5 MB \(usually 10 B\)$/)
    expect(featureText('unheard of', 1, 0)).toContain('unheard of')
  })
})
