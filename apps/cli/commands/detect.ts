import { Command, Option } from 'commander'
import { fail } from '../../../src/base/errors.ts'
import type { ThresholdFile } from '../../../src/models/detection/threshold.ts'
import type { AcceleratedModel } from '../../../src/models/accelerator.ts'
import { openAccelerator } from '../../../src/node/accelerator.ts'
import { type ChosenThreshold, chooseThreshold, rowsOf } from '../../../src/node/detect/choose-threshold.ts'
import {
  calibrate,
  detect,
  type DetectOptions,
  learnHistory,
  type Memory,
  type ScoringOptions,
} from '../../../src/node/detect/detect.ts'
import type { DetectionContext, Format } from '../../../src/node/detect/detection.ts'
import { ecsDetection } from '../../../src/node/detect/formats/ecs.ts'
import { jsonDetection } from '../../../src/node/detect/formats/json-lines.ts'
import { ocsfDetection } from '../../../src/node/detect/formats/ocsf.ts'
import { type LoadedModel, loadModel } from '../../../src/node/detect/model-file.ts'
import { loadPersonalModel } from '../../../src/node/detect/personal-model.ts'
import { fileOutput, type Output, streamOutput } from '../../../src/node/detect/output.ts'
import { readThreshold, writeThreshold } from '../../../src/node/detect/threshold-file.ts'
import { LOG_FORMATS, type LogFormat } from '../../../src/telemetry/interaction.ts'
import { summarise, summaryOf } from '../detect-summary.ts'
import { createTicker } from '../ticker.ts'
import { collect, jsonOption } from './options.ts'

const FORMATS: Readonly<Record<string, Format>> = { jsonl: jsonDetection, ocsf: ocsfDetection, ecs: ecsDetection }
const OBJECTIVES = { attack: 'supervised', surprise: 'link' } as const

interface DetectCommandOptions {
  readonly model: string
  readonly own?: string
  readonly input?: readonly string[]
  readonly format: string
  readonly output?: string
  readonly threshold?: number
  readonly falsePositivesPerDay?: number
  readonly calibrate?: readonly string[]
  readonly history?: readonly string[]
  readonly follow?: boolean
  readonly state?: string
  readonly localNetworks: readonly string[]
  readonly logFormat: LogFormat | 'auto'
  readonly score?: keyof typeof OBJECTIVES
  readonly accelerator?: 'onnx'
  readonly minScore?: number
  readonly all?: boolean
  readonly explain: boolean
  readonly json?: boolean
}

const EXAMPLES = `
Examples:
  $ entente detect --model model.safetensors --calibrate last-month/ --false-positives-per-day 10 --input today/
  $ entente detect --model model.safetensors --input conn.log --follow --state detecting --format ecs
  $ entente detect --model model.safetensors --input conn.log.gz --threshold 2.5 --output findings.jsonl

A calibrated threshold lies beside the model, as model.safetensors.threshold.json, and holds from then on. --threshold
overrules it; deleting the file undoes it.`

export function detectCommand(): Command {
  return new Command('detect')
    .description('score logs with a model: alerts with their reasons, as JSON lines, OCSF or ECS')
    .requiredOption('--model <file>', 'safetensors file, as entente model export writes it')
    .option('--own <file>', "the organisation's own model beside it, as entente model personalise writes it")
    .option('--input <path...>', 'logs to score: files, directories, gzip, zip or zstd')
    .addOption(new Option('--format <format>', 'of the detections').choices(Object.keys(FORMATS)).default('jsonl'))
    .option('--output <file>', 'where detections go (default: standard output)')
    .option('--threshold <score>', 'least score of an alert', number('--threshold'))
    .option('--false-positives-per-day <n>', 'false alerts a day to aim at', number('--false-positives-per-day'))
    .option('--calibrate <path...>', 'logs of your own past, harmless or unlabelled traffic to choose the threshold on')
    .option('--history <path...>', 'logs of the time before, learnt from and not scored')
    .option('--follow', 'go on as the log grows, until interrupted')
    .option('--state <directory>', 'with --follow: go on after a restart where it stopped')
    .option('--local-networks <cidr>', 'networks of the organisation; repeat or separate by commas', collect, [])
    .addOption(new Option('--log-format <format>', 'of every log').choices(['auto', ...LOG_FORMATS]).default('auto'))
    .addOption(
      new Option(
        '--score <kind>',
        'attack: learnt from labels (default); surprise: of a graph network without labels',
      ).choices(Object.keys(OBJECTIVES)),
    )
    .addOption(
      new Option(
        '--accelerator <name>',
        'score with ONNX Runtime, where onnxruntime-node is installed: within 1e-4 of the kernels (default: the kernels)',
      ).choices(['onnx']),
    )
    .option('--min-score <score>', 'write nothing below this score', number('--min-score'))
    .option('--all', 'write every interaction with its score, not alerts alone')
    .option('--no-explain', 'leave the reasons out')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action((options: DetectCommandOptions, command: Command) => run(options, command.parent?.version() ?? ''))
}

function number(name: string): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isFinite(value)) fail('config-invalid', `${name} takes a number, not "${text}"`)
    return value
  }
}

function assertOptions(options: DetectCommandOptions): void {
  const { input, calibrate: paths, threshold, falsePositivesPerDay, follow, state } = options
  if (input === undefined && paths === undefined) fail('config-invalid', 'name the logs to score: --input')
  if (paths !== undefined && falsePositivesPerDay === undefined)
    fail('config-invalid', '--calibrate needs --false-positives-per-day')
  if (threshold !== undefined && falsePositivesPerDay !== undefined)
    fail('config-invalid', '--threshold and --false-positives-per-day exclude each other')
  if (state !== undefined && follow !== true) fail('config-invalid', '--state belongs to --follow')
}

/** Load, learn, calibrate, detect, sum up. */
async function run(options: DetectCommandOptions, programVersion: string): Promise<void> {
  assertOptions(options)
  const model = await load(options)
  const accelerated = await acceleratedBy(options, model)
  const chosenNow = options.threshold !== undefined || options.calibrate !== undefined
  const saved = chosenNow ? undefined : await readThreshold(thresholdOf(options), model.digest)
  const ticker = options.json === true ? undefined : createTicker()
  const scoring = { ...scoringOptions(options, model, saved), ...(accelerated === undefined ? {} : { accelerated }) }
  const told = (what: string): ScoringOptions => ({ ...scoring, onProgress: (count) => ticker?.tick(what, count) })
  const history = options.history && (await learnHistory(options.history, told('learnt')))
  const calibrated = await calibration(options, told('calibrated on'), history)
  const { threshold: asked, falsePositivesPerDay: perDay, all, input } = options
  const wish = { modelPath: thresholdOf(options), scoresOnly: all === true }
  const threshold = chooseThreshold(
    { ...wish, ...(asked === undefined ? {} : { threshold: asked }), ...(perDay === undefined ? {} : { perDay }) },
    calibrated?.file,
    saved,
  )
  if (input === undefined) return
  const context = { modelDigest: model.digest, modelKind: model.spec.kind, programVersion, now: () => Date.now() }
  const output = await openOutput(options)
  const started = performance.now()
  const report = await detect(
    { ...told('scored'), ...detectOptions(options, threshold, output, context), paths: input },
    calibrated?.memory ?? history,
  )
  ticker?.clear()
  if (report.outputClosed) return
  await output.close()
  summarise(summaryOf(model, threshold, report, (performance.now() - started) / 1000), options)
}

const load = ({ model, own }: DetectCommandOptions): Promise<LoadedModel> =>
  own === undefined ? loadModel(model) : loadPersonalModel(model, own)

/** @throws not-available where it is not installed */
async function acceleratedBy(
  { accelerator }: DetectCommandOptions,
  model: LoadedModel,
): Promise<AcceleratedModel | undefined> {
  return accelerator === undefined ? undefined : model.accelerate(await openAccelerator())
}

/** Beside the model whose scores it is of. */
const thresholdOf = ({ model, own }: DetectCommandOptions): string => own ?? model

function scoringOptions(
  { localNetworks, score, logFormat }: DetectCommandOptions,
  model: LoadedModel,
  saved: ThresholdFile | undefined,
): ScoringOptions {
  const wish = { localNetworks, ...(score === undefined ? {} : { objective: OBJECTIVES[score] }) }
  const rows = rowsOf(wish, saved)
  if (rows.objective === 'link' && model.spec.kind !== 'tgnn')
    fail('config-invalid', '--score surprise needs a temporal graph network')
  return { model, ...rows, logFormat }
}

async function calibration(
  options: DetectCommandOptions,
  scoring: ScoringOptions,
  history: Memory | undefined,
): Promise<{ file: ThresholdFile; memory: Memory } | undefined> {
  const { calibrate: paths, falsePositivesPerDay: perDay, json } = options
  if (paths === undefined || perDay === undefined) return undefined
  const calibrated = await calibrate({ ...scoring, paths, perDay, now: Date.now() }, history)
  const path = await writeThreshold(thresholdOf(options), calibrated.file)
  const { threshold, contacts, days } = calibrated.file
  if (json !== true)
    process.stderr.write(
      `threshold ${threshold.toPrecision(4)}: ${perDay} alerts a day among ${contacts} contacts in ${days.toFixed(1)} days; kept in ${path}\n`,
    )
  else process.stderr.write(`${JSON.stringify({ event: 'calibrated', path, ...calibrated.file })}\n`)
  return calibrated
}

function openOutput({ output, follow }: DetectCommandOptions): Promise<Output> | Output {
  return output === undefined ? streamOutput(process.stdout) : fileOutput(output, { append: follow === true })
}

function detectOptions(
  options: DetectCommandOptions,
  { value, rates }: ChosenThreshold,
  output: Output,
  context: DetectionContext,
): Omit<DetectOptions, keyof ScoringOptions | 'paths'> {
  const { all, minScore, explain, follow, state, format } = options
  const write = FORMATS[format] as Format
  return {
    threshold: value,
    rates,
    all: all === true,
    scoreMin: minScore ?? Number.NEGATIVE_INFINITY,
    explained: explain,
    output,
    format: (detection) => write(detection, context),
    ...(follow === true
      ? { follow: { signal: untilInterrupted(), ...(state === undefined ? {} : { directory: state }) } }
      : {}),
  }
}

function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())
  return interrupted.signal
}
