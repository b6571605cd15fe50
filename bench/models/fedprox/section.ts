/**
 * FedProx's synthetic sets (Li et al. 2020, figure 1): training loss and test accuracy over rounds with 0, 50 and 90 % of
 * stragglers. FedAvg drops those who did not finish; FedProx keeps what they did, without (mu = 0) and with its term.
 * Aggregation and the proximal term are the product's.
 */

import { prng, shuffle } from '../../../src/base/prng.ts'
import { strategyConfigSchema } from '../../../src/learning/config.ts'
import { createServer } from '../federation.ts'
import type { Section, SectionContext } from '../section.ts'
import { evaluateSoftmax, LAYOUT, PARAMETERS, trainSoftmax } from './softmax-regression.ts'
import { type Device, type Samples, syntheticDevices } from './synthetic.ts'

/** As in the paper: 10 of 30 devices a round, 20 epochs, batches of 10, rate 0.01. */
const CHOSEN = 10
const EPOCHS = 20
const LOCAL = { batchSize: 10, learningRate: 0.01 }
const ROUNDS = 60
const SHOWN = [1, 10, 20, 40, 60]
const STRAGGLERS = [0, 0.5, 0.9]

const SETS = [
  { part: 'iid', name: 'IID', alpha: 0, beta: 0, iid: true },
  { part: '0-0', name: '(0,0)', alpha: 0, beta: 0, iid: false },
  { part: '0.5-0.5', name: '(0.5,0.5)', alpha: 0.5, beta: 0.5, iid: false },
  { part: '1-1', name: '(1,1)', alpha: 1, beta: 1, iid: false },
] as const

const METHODS = [
  { name: 'FedAvg', mu: 0, dropsStragglers: true },
  { name: 'FedProx mu = 0', mu: 0, dropsStragglers: false },
  { name: 'FedProx mu = 1', mu: 1, dropsStragglers: false },
] as const

/** One set and share of stragglers each, such as `1-1-90`. */
export const FEDPROX_PARTS: Readonly<Record<string, Section>> = Object.fromEntries(
  SETS.flatMap((set) =>
    STRAGGLERS.map((stragglers) => [
      `${set.part}-${stragglers * 100}`,
      (context: SectionContext) => synthetic(context, set, stragglers),
    ]),
  ),
)

async function synthetic(context: SectionContext, set: (typeof SETS)[number], stragglers: number): Promise<void> {
  const devices = syntheticDevices({ ...set, seed: context.seed })
  for (const method of METHODS) {
    context.progress(method.name)
    await curve(context, devices, set.name, stragglers, method)
  }
}

async function curve(
  context: SectionContext,
  devices: readonly Device[],
  set: string,
  stragglers: number,
  { name, mu, dropsStragglers }: (typeof METHODS)[number],
): Promise<void> {
  const { seed, kernels, sheet } = context
  const strategy = strategyConfigSchema.parse({ name: 'fedavg' })
  const server = createServer(LAYOUT, new Float32Array(PARAMETERS), strategy, kernels)
  const [losses, accuracies]: [Record<string, number>, Record<string, number>] = [{}, {}]
  for (let round = 1; round <= (context.tiny ? 2 : ROUNDS); round++) {
    // Devices, stragglers and how far these get are the same for every method, as in the paper.
    const random = prng(`fedprox round/${seed}/${round}`)
    const chosen = shuffle([...devices], random).slice(0, CHOSEN)
    const late = shuffle([...chosen.keys()], random).slice(0, Math.round(stragglers * CHOSEN))
    const work = chosen.map((device, i) => ({
      device,
      isLate: late.includes(i),
      epochs: late.includes(i) ? 1 + random.below(EPOCHS - 1) : EPOCHS,
    }))
    const trained = work
      .filter(({ isLate }) => !(isLate && dropsStragglers))
      .map(({ device: { id, training }, epochs }) => {
        const options = { ...LOCAL, epochs, proximalMu: mu }
        const parameters = trainSoftmax(
          kernels,
          server.parameters,
          training,
          options,
          prng(`fedprox local/${seed}/${round}/${id}`),
        )
        return { organisation: id, parameters, sampleCount: training.rows }
      })
    await server.round(trained)
    if (!SHOWN.includes(round) && !context.tiny) continue
    losses[`round ${round}`] = figureOf(server.parameters, devices, ({ training }) => training).loss
    accuracies[`round ${round}`] = figureOf(server.parameters, devices, ({ test }) => test).accuracy
  }
  const row = `${stragglers * 100} % stragglers, ${name}`
  sheet.record(`FedProx synthetic ${set}, training loss`, row, losses)
  sheet.record(`FedProx synthetic ${set}, test accuracy`, row, accuracies)
}

/** Over all devices' samples. */
function figureOf(
  parameters: Float32Array,
  devices: readonly Device[],
  of: (device: Device) => Samples,
): { loss: number; accuracy: number } {
  let [loss, right, rows] = [0, 0, 0]
  for (const device of devices) {
    const samples = of(device)
    const part = evaluateSoftmax(parameters, samples)
    loss += part.loss
    right += part.right
    rows += samples.rows
  }
  return { loss: loss / rows, accuracy: right / rows }
}
