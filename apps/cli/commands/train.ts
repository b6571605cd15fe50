import { setTimeout as sleep } from 'node:timers/promises'
import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { fail } from '../../../src/base/errors.ts'
import { digest } from '../../../src/base/ids.ts'
import { EPSILON_DEFAULT } from '../../../src/learning/example-privacy.ts'
import { PROTECTIONS } from '../../../src/learning/masking-config.ts'
import { organisationsMin, type RobustConfig } from '../../../src/learning/robust/config.ts'
import { bucketedMin } from '../../../src/learning/robust/secure-buckets.ts'
import { SPARSIFY_METHODS } from '../../../src/learning/sparsify.ts'
import { DEFAULT_KIND, MODEL_KINDS, trainingDefaults } from '../../../src/node/default-model.ts'
import { inTheClear, type Openness } from '../../../src/node/in-the-clear.ts'
import { type Operator, openOperator } from '../../../src/node/operator.ts'
import { policyTrainingDefaults } from '../../../src/node/policy/default-policy.ts'
import type { TrainingView } from '../../../src/node/views.ts'
import {
  clipNamed,
  modelKind,
  privacyNamed,
  protectionNamed,
  purposeNamed,
  robustNamed,
  sparsifyNamed,
  STRATEGIES,
  strategyNamed,
  wholeNumber,
} from '../demo/options.ts'
import { columns, EXIT, print } from '../output.ts'
import { directoryOption, jsonOption, type NodeOptions } from './options.ts'
import { clipOption, mechanismOption, purposeOption, unitOption } from './privacy-options.ts'
import { roundsCommand } from './train-rounds.ts'

const POLICY = 'policy'
/** How often `watch` looks; nothing depends on it. */
const REFRESH_MS = 500

export function trainCommand(): Command {
  const train = new Command('train').description('start and follow trainings (operator of the hub)')
  for (const command of [startCommand(), statusCommand(), roundsCommand(), watchCommand(), stopCommand()])
    train.addCommand(command)
  return train
}

async function withOperator<T>(directory: string, work: (operator: Operator) => Promise<T>): Promise<T> {
  const operator = await openOperator(directory)
  try {
    return await work(operator)
  } finally {
    operator.close()
  }
}

interface StartOptions extends NodeOptions {
  readonly model: string
  readonly rounds?: string
  readonly strategy?: string
  readonly robust?: string
  readonly protect?: string
  readonly epsilon?: string
  readonly unit?: string
  readonly clip?: string
  readonly mechanism?: string
  readonly invitedMin?: string
  readonly sparsify?: string
  readonly purpose?: string
  readonly seed: string
  readonly id?: string
  readonly config?: string
  readonly from?: string
}

function startCommand(): Command {
  return new Command('start')
    .description('start a training with all organisations that are members')
    .option(
      '--model <kind>',
      `${MODEL_KINDS.join(' | ')}: perceptron or temporal graph network; ${POLICY}: response policy, see response in entente.yaml`,
      DEFAULT_KIND,
    )
    .option('--rounds <n>', 'rounds (default: 16 of a tgnn, 8 of an mlp)')
    .option('--strategy <name>', `${STRATEGIES.join(' | ')} (default: fedavgm of a tgnn, fedavg of an mlp)`)
    .option(
      '--robust <rule[:f]>',
      'against f organisations that lie (default 1): median, trimmed-mean, krum, multi-krum, bulyan, geometric-median, centered-clipping or norm-bound; rounds then need as many organisations as the rule does',
    )
    .option(
      '--protect <how>',
      `${PROTECTIONS.join(' | ')}: who sees single updates (default: secagg, nobody; plain: the hub, where organisations allow it)`,
    )
    .option(
      '--epsilon <n>',
      `differential privacy of all rounds together, at delta 1e-5, or off (default: ${EPSILON_DEFAULT}; a response policy has none)`,
    )
    .option(
      '--sparsify <method:fraction>',
      `${SPARSIFY_METHODS.join(' | ')}: send a part of each update, e.g. random-k:0.1, and keep the rest for later rounds; random-k makes masked and encrypted vectors so much shorter (default: all of it)`,
    )
    .addOption(unitOption())
    .addOption(clipOption())
    .addOption(mechanismOption())
    .addOption(purposeOption())
    .option(
      '--invited-min <n>',
      'with --mechanism distributed or skellam: organisations that each round is opened with at least; shares of noise are sized for it (default: 3)',
    )
    .option('--seed <text>', 'seed of the first model, of selection and of shuffles', 'entente')
    .option('--id <name>', 'name of the training (default: drawn)')
    .option('--from <hash>', 'go on from this model of the ledger instead of a fresh one')
    .option('--config <file>', 'JSON file with a whole training configuration; options above are ignored')
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente train start --dir hub --rounds 20 --strategy fedadam')
    .action((options: StartOptions) =>
      withOperator(options.dir, async (operator) => {
        const config = options.config === undefined ? configOf(options) : await configFile(options.config)
        const started = await operator.startTraining({
          config,
          ...(options.id === undefined ? {} : { trainingId: options.id }),
          ...(options.from === undefined ? {} : { initialModel: digest(options.from) }),
        })
        for (const warning of inTheClear((config ?? {}) as Openness)) process.stderr.write(`WARNING: ${warning}.\n`)
        print(
          started,
          options,
          (value) =>
            `Training ${value.trainingId} has started. Follow it:  entente train watch ${value.trainingId} --dir ${options.dir}`,
        )
      }),
    )
}

/** A model to go on from says itself which model it is; the options that go with `--model` apply all the same. */
function configOf(options: StartOptions): unknown {
  const { model: kind, rounds, strategy, robust, protect, sparsify, purpose, seed, from } = options
  const name = strategy === undefined ? undefined : strategyNamed(strategy)
  const { model, ...defaults } =
    kind === POLICY
      ? { ...policyTrainingDefaults(name), privacy: null }
      : trainingDefaults(modelKind(kind), {
          strategy: name,
          privacy: privacyNamed(options),
          clip: clipNamed(options.clip),
        })
  return {
    ...(from === undefined ? { model } : {}),
    ...defaults,
    ...(rounds === undefined ? {} : { rounds: wholeNumber('--rounds', rounds, 1, 100_000) }),
    ...(robust === undefined ? {} : robustOf(robust, protect)),
    ...(protect === undefined ? {} : { protection: protectionNamed(protect) }),
    ...(sparsify === undefined ? {} : { sparsify: sparsifyNamed(sparsify) }),
    ...(purpose === undefined ? {} : { purpose: purposeNamed(purpose) }),
    seed,
  }
}

/** The rule, and rounds that are not opened with fewer organisations than it needs. */
function robustOf(text: string, protect?: string): { robust: RobustConfig; round: { participantsMin: number } } {
  const robust = robustNamed(text)
  const participantsMin = protect === 'plain' ? Math.max(2, organisationsMin(robust)) : bucketedMin(robust)
  return { robust, round: { participantsMin } }
}

async function configFile(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    fail('config-invalid', `${path} is not a JSON file: ${String(cause)}`)
  }
}

function statusCommand(): Command {
  return new Command('status')
    .description('all trainings, or one')
    .argument('[training]')
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente train status --dir hub')
    .action((id: string | undefined, options: NodeOptions) =>
      withOperator(options.dir, async (operator) => {
        const trainings = id === undefined ? await operator.trainings() : [await operator.training(id)]
        print(trainings, options, renderTrainings)
      }),
    )
}

function renderTrainings(trainings: readonly TrainingView[]): string {
  if (trainings.length === 0) return 'No training yet. Start one:  entente train start'
  const rows = trainings.map((one) => [
    one.training_id,
    one.phase,
    `${one.rounds_finished}/${one.rounds}`,
    one.model?.slice(0, 16) ?? '-',
    one.reason ?? '',
  ])
  return columns([['training', 'phase', 'rounds', 'model', ''], ...rows]).trimEnd()
}

function watchCommand(): Command {
  return new Command('watch')
    .description('follow a training until it ends; exit code 1 if it does not finish')
    .argument('<training>')
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente train watch t-0a1b2c3d4e --dir hub')
    .action((id: string, options: NodeOptions) =>
      withOperator(options.dir, async (operator) => {
        const ended = await follow(operator, id, options)
        if (options.json === true) print(ended, options, () => '')
        if (ended.phase !== 'done') process.exitCode = EXIT.failed
      }),
    )
}

async function follow(operator: Operator, id: string, options: NodeOptions): Promise<TrainingView> {
  let shown = ''
  for (;;) {
    const training = await operator.training(id)
    const line = renderTrainings([training])
    if (options.json !== true && line !== shown) process.stdout.write(`${line}\n`)
    shown = line
    if (['done', 'failed', 'stopped'].includes(training.phase)) return training
    await sleep(REFRESH_MS)
  }
}

function stopCommand(): Command {
  return new Command('stop')
    .description('end a training after the round that is open')
    .argument('<training>')
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente train stop t-0a1b2c3d4e --dir hub')
    .action((id: string, options: NodeOptions) =>
      withOperator(options.dir, async (operator) => {
        await operator.stopTraining(id)
        print({ stopped: id }, options, () => `Training ${id} stops.`)
      }),
    )
}
