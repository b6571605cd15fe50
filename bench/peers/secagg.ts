/** Secure aggregation beside Flower's SecAgg+: the same sizes, shares, threshold and number of masks. */

import { fileURLToPath } from 'node:url'
import { chunkSum } from '../../src/models/kernels/masking.ts'
import { loadKernels } from '../../src/node/kernels.ts'
import { hubPhases, onThreads } from '../secagg/hub.ts'
import { participantPhases } from '../secagg/participant.ts'
import { prepare, type PreparedRound, type Setting } from '../secagg/round.ts'
import { SETTINGS } from '../secagg/settings.ts'
import { inTurn, type Measured, type Taken, takeTime, measuredOf } from '../secagg/timing.ts'
import { inMemoryThreads } from './in-memory.ts'
import { type Asked, startProcess } from './process.ts'
import type { Comparison, Contender, Floor, Results } from './results.ts'

const SCRIPT = fileURLToPath(new URL('flower_secagg.py', import.meta.url))
const arithmetic = chunkSum(loadKernels(), 32)

type Section = Results['secagg'][number]

interface Runs {
  readonly ours: number
  readonly client: number
  readonly server: number
}

export interface Compared {
  readonly section: Section
  readonly floors: readonly Floor[]
}

/** Milliseconds that Flower's program reports of itself. */
const asked = (peer: Asked, what: 'client' | 'server') => async (): Promise<Taken> => {
  const { wall, processor, exact } = await peer.ask({ what })
  if (exact === false) throw new Error('Flower’s sum is not the plain sum: its arithmetic was put together wrongly')
  return { wall: Number(wall), processor: Number(processor) }
}

export async function besideFlower(
  key: '100-100k' | '100-1m',
  python: string | undefined,
  runs: Runs,
): Promise<Compared> {
  const setting: Setting = SETTINGS[key]
  const { organisations: n, parameters: d, dropouts } = setting
  const round = prepare(setting, arithmetic)
  const { neighbours, threshold } = round.roster.plan
  const peer = python === undefined ? undefined : await startProcess(python, [SCRIPT], false)
  const same = { n, d, dropouts, shares: neighbours + 1, threshold, seed: 1 }
  await peer?.ask({ what: 'prepare', ...same })
  const client = await clientRow(round, peer, runs)
  const { server, floors } = await serverRow(round, peer, runs, setting.name)
  peer?.close()
  return {
    section: {
      title: setting.name,
      setting: `${neighbours + 1} shares, threshold ${threshold}`,
      rows: [server, client],
    },
    floors,
  }
}

async function clientRow(round: PreparedRound, peer: Asked | undefined, runs: Runs): Promise<Comparison> {
  const { works, order, update, masks } = participantPhases(round, arithmetic)
  const threads = inMemoryThreads(2)
  const all = () => [works.advertise(), works.share(), works.mask(), works.reveal()]
  const withRoster = () => [works.roster(), ...all()]
  const onTwo = async () => {
    works.advertise()
    works.share()
    await threads.mask(order(), update)
    works.reveal()
  }
  const taken = await inTurn(runs.client, {
    all,
    withRoster,
    onTwo,
    ...(peer === undefined ? {} : { flower: asked(peer, 'client') }),
  } as Record<'all' | 'withRoster' | 'onTwo' | 'flower', () => unknown>)
  await threads.close()
  return {
    what: `client: keys, shares, ${masks} masks, reveal`,
    ours: [
      { name: '1 thread', figure: taken.all },
      { name: '2 threads', figure: taken.onTwo },
      {
        name: '1 thread, and the signatures of the roster',
        figure: taken.withRoster,
        note: 'a check that Flower lacks',
      },
    ],
    peers: peer === undefined ? [] : [{ name: 'Flower', figure: taken.flower }],
    aim: 10,
  }
}

async function serverRow(
  round: PreparedRound,
  peer: Asked | undefined,
  runs: Runs,
  name: string,
): Promise<{ server: Comparison; floors: Floor[] }> {
  const { order, works } = hubPhases(round, arithmetic)
  const flower: Taken[] = []
  const taken = { recover: [] as Taken[], unmask: [] as Taken[], floor: [] as Taken[] }
  for (let run = -1; run < runs.ours; run++) {
    for (const part of ['recover', 'unmask', 'floor'] as const) {
      const one = await takeTime(works[part])
      if (run >= 0) taken[part].push(one)
    }
    if (peer !== undefined && run >= 0 && run < runs.server) flower.push(await asked(peer, 'server')())
  }
  const two = await onThreads(2, order, round, runs.ours)
  const [recover, unmask, floor] = [taken.recover, taken.unmask, taken.floor].map(measuredOf) as [
    Measured,
    Measured,
    Measured,
  ]
  const sum = taken.recover.map((one, i) => add(one, taken.unmask[i]))
  const ours: Contender[] = [
    { name: '1 thread', figure: measuredOf(sum) },
    { name: '2 threads', figure: plus(recover, two.unmask) },
  ]
  const floors: Floor[] = [
    {
      what: `${name}: ${order.masks.length} masks off ${round.vectors.length} vectors, 1 thread`,
      work: unmask,
      floor,
      by: 'processor',
      aim: 1.5,
    },
    { what: `${name}: the same, 2 threads`, work: two.unmask, floor: two.floor, by: 'wall', aim: 1.5 },
  ]
  return {
    server: {
      what: `server: ${order.masks.length} masks off ${round.vectors.length} vectors`,
      ours,
      peers: peer === undefined ? [] : [{ name: 'Flower', figure: measuredOf(flower) }],
      aim: name === SETTINGS['100-100k'].name ? 100 : 15,
    },
    floors,
  }
}

const add = (a: Taken, b: Taken | undefined): Taken => ({
  wall: a.wall + (b?.wall ?? 0),
  processor: a.processor + (b?.processor ?? 0),
})

/** Medians of two phases that were not run together. */
function plus(a: Measured, b: Measured): Measured {
  const both = (one: Measured['wall'], other: Measured['wall']): Measured['wall'] => ({
    median: one.median + other.median,
    fastest: one.fastest + other.fastest,
    slowest: one.slowest + other.slowest,
    runs: Math.min(one.runs, other.runs),
  })
  return { wall: both(a.wall, b.wall), processor: both(a.processor, b.processor) }
}
