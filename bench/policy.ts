/**
 * Figures of the response policy: `node bench/policy.ts [--part challenge|unseen|all] [--seeds 1,2,3,4,5] [--red b-line]
 * [--removal any] [--iterations 250] [--rounds 50] [--episodes 1000] [--json FILE]`. Seeds of evaluation are never those of
 * training. Without processes or network: the local work is that of a node, the mean is FedAvg's.
 */

import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { prng } from '../src/base/prng.ts'
import { evaluatePolicy } from '../src/models/policy/evaluate.ts'
import { localWork } from '../src/models/policy/local-work.ts'
import { createPolicy, type Policy } from '../src/models/policy/policy.ts'
import type { PolicySpec } from '../src/models/policy/spec.ts'
import { type BlueName, blueAgent, CAGE2_DECOY_ORDER } from '../src/models/response/blue-agents.ts'
import { createEnvironment, type Environment } from '../src/models/response/environment.ts'
import { playEpisodes } from '../src/models/response/evaluate.ts'
import type { RedName } from '../src/models/response/red-agents.ts'
import { CAGE2 } from '../src/models/response/topologies/cage2.ts'
import { drawTopology } from '../src/models/response/topologies/drawn.ts'
import { withSlots } from '../src/models/response/topology.ts'
import type { Removal } from '../src/models/response/turn.ts'
import { loadKernels } from '../src/node/kernels.ts'
import { defaultPolicy } from '../src/node/policy/default-policy.ts'

const SLOTS = 13
const STEPS = 100
const REDS = ['b-line', 'meander'] as const
const REMOVALS = ['any', 'standing'] as const
const SCRIPTED = ['sleep', 'react-remove', 'react-restore', 'react-decoy'] as const satisfies readonly BlueName[]

export interface PolicyFigureOptions {
  readonly seeds?: readonly string[]
  readonly parts?: readonly ('challenge' | 'unseen')[]
  readonly reds?: readonly RedName[]
  readonly removals?: readonly Removal[]
  /** PPO iterations of 32 episodes, in the network of the challenge. */
  readonly iterations?: number
  /** Rounds of the federation, and steps of each organisation in one of them. */
  readonly rounds?: number
  readonly stepsOfRound?: number
  /** Episodes of each evaluation in the network of the challenge. */
  readonly episodes?: number
  readonly onProgress?: (line: string) => void
}

/** Mean total reward of 100 steps, by seed where something was learned. */
export interface PolicyFigure {
  readonly part: 'challenge' | 'unseen' | 'home'
  readonly red: string
  readonly removal: Removal
  readonly agent: string
  readonly bySeed: readonly number[]
  readonly mean: number
  /** Standard deviation over the seeds; of a scripted agent the standard error over episodes. */
  readonly spread: number
  /** Processor seconds of one training. */
  readonly seconds?: number
}

const summary = (bySeed: readonly number[]): { bySeed: readonly number[]; mean: number; spread: number } => {
  const mean = bySeed.reduce((sum, value) => sum + value, 0) / bySeed.length
  const squares = bySeed.reduce((sum, value) => sum + (value - mean) * (value - mean), 0)
  return { bySeed, mean, spread: Math.sqrt(squares / Math.max(1, bySeed.length - 1)) }
}

const newPolicy = (slots: PolicySpec['slots']): Policy => createPolicy(defaultPolicy(SLOTS, slots), loadKernels())

const processorSeconds = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

export function policyFigures(options: PolicyFigureOptions = {}): PolicyFigure[] {
  const { parts = ['challenge', 'unseen'], onProgress = () => undefined } = options
  const figures = [
    ...(parts.includes('challenge') ? challengeFigures(options, onProgress) : []),
    ...(parts.includes('unseen') ? unseenFigures(options, onProgress) : []),
  ]
  return figures
}

/** The network of the challenge: one policy against each attacker, beside the scripted agents. */
function challengeFigures(options: PolicyFigureOptions, onProgress: (line: string) => void): PolicyFigure[] {
  const { seeds = ['1', '2', '3', '4', '5'], reds = REDS, removals = REMOVALS } = options
  const { iterations = 250, episodes = 1000 } = options
  const part = 'challenge'
  return removals.flatMap((removal) =>
    reds.flatMap((red) => {
      const environment = createEnvironment({ topology: CAGE2, red, steps: STEPS, removal })
      const evaluation = `evaluation/${red}`
      const scripted = SCRIPTED.map((agent): PolicyFigure => {
        const fresh = () => blueAgent(agent, environment, CAGE2_DECOY_ORDER)
        const { mean, standardError } = playEpisodes(environment, fresh, episodes, evaluation)
        return { part, red, removal, agent, bySeed: [], mean, spread: standardError }
      })
      const policy = newPolicy('apart')
      const before = processorSeconds()
      const totals = seeds.map((seed) => {
        const work = { iterations, episodes: 32, epochs: 4, batchSize: 800, learningRate: 1e-3, anneal: true } as const
        const { parameters, reward } = policy.train(policy.initialise(seed), [environment], {
          ...work,
          optimiser: 'adam',
          proximalMu: 0,
          seed: `training/${seed}`,
        })
        const { mean, standardError } = evaluatePolicy(policy, parameters, environment, episodes, evaluation)
        onProgress(
          `${red}, removal ${removal}, seed ${seed}: ${mean.toFixed(2)} (${standardError.toFixed(2)}); drawing ${reward.toFixed(1)}`,
        )
        return mean
      })
      const seconds = (processorSeconds() - before) / Math.max(1, seeds.length)
      return [...scripted, { part, red, removal, agent: 'learned', ...summary(totals), seconds }]
    }),
  )
}

const ORGANISATIONS = 5
const UNSEEN = 4
const UNSEEN_EPISODES = 100
const removal: Removal = 'standing'

interface Situation {
  readonly environment: Environment
  readonly seed: string
}

/** Organisations with networks of their own and one attacker each; the policies meet networks that none of them has. */
function unseenFigures(options: PolicyFigureOptions, onProgress: (line: string) => void): PolicyFigure[] {
  const { seeds = ['1', '2', '3', '4', '5'], rounds = 50, stepsOfRound = 3200 } = options
  const rows = new Map<string, number[]>()
  const add = (key: string, value: number): void => void rows.set(key, [...(rows.get(key) ?? []), value])
  for (const seed of seeds) {
    const homes = Array.from({ length: ORGANISATIONS }, (_, i) =>
      situation(`${seed}/home/${i}`, REDS[i % REDS.length] ?? 'b-line'),
    )
    const away = Array.from({ length: UNSEEN }, (_, i) => REDS.map((red) => situation(`${seed}/away/${i}`, red))).flat()
    const policy = newPolicy('alike')
    const start = policy.initialise(seed)
    const work = (home: Situation, parameters: Float32Array, round: number, name: string): Float32Array => {
      const local = { epochs: 4, batchSize: 800, learningRate: 1e-3, optimiser: 'adam', proximalMu: 0 } as const
      const asked = { ...local, rowsMax: stepsOfRound, seed: `${seed}/${name}/${round}` }
      return policy.train(parameters, [home.environment], localWork(asked, STEPS)).parameters
    }
    let global = start
    for (let round = 0; round < rounds; round++)
      global = meanOf(homes.map((home, i) => work(home, global, round, `organisation-${i}`)))
    const silos = homes.map((home, i) => {
      let own = start
      for (let round = 0; round < rounds; round++) own = work(home, own, round, `organisation-${i}`)
      return own
    })
    const totalOf = (parameters: Float32Array, { environment, seed: of }: Situation): number =>
      evaluatePolicy(policy, parameters, environment, UNSEEN_EPISODES, of).mean
    const scripted = (agent: BlueName, { environment, seed: of }: Situation): number =>
      playEpisodes(environment, () => blueAgent(agent, environment, decoyOrder(environment)), UNSEEN_EPISODES, of).mean
    for (const red of [...REDS, 'both'] as const) {
      const met = away.filter(({ environment: _, seed: of }) => red === 'both' || of.endsWith(red))
      const over = (value: (one: Situation) => number): number => summary(met.map(value)).mean
      add(
        `unseen|${red}|federated`,
        over((one) => totalOf(global, one)),
      )
      const alone = silos.map((own) => over((one) => totalOf(own, one)))
      add(`unseen|${red}|local only, mean of ${ORGANISATIONS}`, summary(alone).mean)
      add(`unseen|${red}|local only, best of ${ORGANISATIONS}`, Math.max(...alone))
      for (const agent of SCRIPTED)
        add(
          `unseen|${red}|${agent}`,
          over((one) => scripted(agent, one)),
        )
    }
    add('home|own|federated', summary(homes.map((home) => totalOf(global, home))).mean)
    add('home|own|local only', summary(homes.map((home, i) => totalOf(silos[i] ?? start, home))).mean)
    for (const [key, values] of rows) onProgress(`seed ${seed} ${key}: ${values.at(-1)?.toFixed(1)}`)
  }
  return [...rows].map(([key, values]) => {
    const [part = '', red = '', agent = ''] = key.split('|')
    return { part: part as PolicyFigure['part'], red, removal, agent, ...summary(values) }
  })
}

function situation(name: string, red: RedName): Situation {
  const topology = withSlots(drawTopology(name, prng(`topology/${name}`)), SLOTS)
  const environment = createEnvironment({ topology, red, steps: STEPS, removal })
  return { environment, seed: `evaluation/${name}/${red}` }
}

/** As the published agent's: from the target back to the entrances, each host as often as it has decoys. */
function decoyOrder({ network }: Environment): number[] {
  const worth = (at: number): number => network.confidentialityLoss[at] ?? 0
  const slots = [...network.decoys.keys()].sort(
    (a, b) => Number(b === network.target) - Number(a === network.target) || worth(b) - worth(a),
  )
  return slots.flatMap((at) => (network.decoys[at] ?? []).map(() => at))
}

function meanOf(all: readonly Float32Array[]): Float32Array {
  const mean = new Float64Array(all[0]?.length ?? 0)
  for (const one of all) one.forEach((value, i) => (mean[i] = (mean[i] ?? 0) + value / all.length))
  return Float32Array.from(mean)
}

/** A Markdown table. */
export function renderPolicyFigures(figures: readonly PolicyFigure[]): string {
  const rows = figures.map(
    ({ part, red, removal: rule, agent, bySeed, mean, spread, seconds }) =>
      `| ${part} | ${red} | ${rule} | ${agent} | ${mean.toFixed(1)} | ${spread.toFixed(2)} | ` +
      `${bySeed.map((value) => value.toFixed(1)).join(', ')} | ${seconds === undefined ? '' : seconds.toFixed(0)} |`,
  )
  return [
    '| part | red | removal | agent | mean | spread | by seed | s |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

function main(): void {
  const { values } = parseArgs({
    options: {
      part: { type: 'string', default: 'all' },
      seeds: { type: 'string', default: '1,2,3,4,5' },
      red: { type: 'string' },
      removal: { type: 'string' },
      iterations: { type: 'string', default: '250' },
      rounds: { type: 'string', default: '50' },
      episodes: { type: 'string', default: '1000' },
      json: { type: 'string' },
    },
  })
  const started = processorSeconds()
  const figures = policyFigures({
    seeds: values.seeds.split(','),
    parts: values.part === 'all' ? ['challenge', 'unseen'] : [values.part as 'challenge' | 'unseen'],
    ...(values.red === undefined ? {} : { reds: [values.red as RedName] }),
    ...(values.removal === undefined ? {} : { removals: [values.removal as Removal] }),
    iterations: Number(values.iterations),
    rounds: Number(values.rounds),
    episodes: Number(values.episodes),
    onProgress: (line) => console.error(line),
  })
  console.log(renderPolicyFigures(figures))
  console.log(`${(processorSeconds() - started).toFixed(0)} s of processor time`)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main()
