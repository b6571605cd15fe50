/** Robust rules over a hundred updates beside Flower's and ByzFL's, each in a process of its own for its memory. */

import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { keystream } from '../../src/privacy/masking/keystream.ts'
import { measuredOf, type Taken } from '../secagg/timing.ts'
import { type Asked, startProcess } from './process.ts'
import type { Comparison, Contender, Results } from './results.ts'

const OWN = fileURLToPath(new URL('robust-own.ts', import.meta.url))
const PEERS = fileURLToPath(new URL('robust_rules.py', import.meta.url))
const N = 100
/** Twenty-four of a hundred lie: as many as Bulyan allows. */
const F = 24

/** Which of a library's ways are tried: `numpy` is left out where it takes minutes, Flower's old Bulyan, too. */
const WAYS: Readonly<Record<string, readonly string[]>> = {
  'median': ['flower-functions', 'byzfl-numpy', 'byzfl-torch'],
  'trimmed-mean': ['flower-functions', 'byzfl-numpy', 'byzfl-torch'],
  'krum': ['flower-records', 'byzfl-torch'],
  'multi-krum': ['flower-records', 'byzfl-torch'],
  'geometric-median': ['byzfl-numpy', 'byzfl-torch'],
  'bulyan': ['flower-records'],
}
/** Threads, and where the vectors are before the time begins. */
const OURS: Readonly<Record<string, readonly [string, string]>> = {
  '1 thread': ['1', 'memory'],
  '2 threads': ['2', 'memory'],
  '1 thread, streamed from a file': ['1', 'file'],
}
const ours = Object.keys(OURS).length

/** Times as long as the fastest at the first try: such a one is not run again. */
const HOPELESS = 1.5

interface Ran extends Taken {
  readonly peakMiB: number
  readonly shown: Float32Array
}

async function run(peer: Asked): Promise<Ran> {
  const { wall, processor, peakMiB, shown } = await peer.ask({})
  const bytes = Uint8Array.from(Buffer.from(String(shown), 'base64'))
  return {
    wall: Number(wall),
    processor: Number(processor),
    peakMiB: Number(peakMiB),
    shown: new Float32Array(bytes.buffer),
  }
}

export async function robustRules(python: string | undefined, d: number, runs: number): Promise<Results['robust']> {
  const folder = await mkdtemp(join(tmpdir(), 'entente-peers-'))
  try {
    const path = join(folder, 'x.f32')
    await writeVectors(path, d)
    const rows: Comparison[] = []
    for (const rule of Object.keys(WAYS)) rows.push(await compare(rule, python, [path, N, d, F].map(String), runs))
    return { setting: `n=${N}, d=${d.toLocaleString('en')}, f=${F}; 24 updates point the other way`, rows }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Noise around a direction, or its opposite: uniform values out of AES-CTR with a fixed key. */
async function writeVectors(path: string, d: number): Promise<void> {
  const file = await open(path, 'w')
  const uniform = (i: number): Float32Array => {
    const stream = keystream(new Uint8Array(16).fill(i))
    const out = new Float32Array(d)
    for (let at = 0; at < d; at += 16_384) {
      const words = new Uint32Array(stream.next(4 * Math.min(16_384, d - at)).slice().buffer)
      out.set(
        Float32Array.from(words, (word) => word / 4294967296 - 0.5),
        at,
      )
    }
    return out
  }
  const direction = uniform(255)
  for (let i = 0; i < N; i++) {
    const noise = uniform(i)
    const row = direction.map((value, at) => (i < F ? -value : value) + (noise[at] ?? 0))
    await file.write(new Uint8Array(row.buffer))
  }
  await file.close()
}

async function compare(
  rule: string,
  python: string | undefined,
  sizes: readonly string[],
  runs: number,
): Promise<Comparison> {
  const names = [...Object.keys(OURS), ...(python === undefined ? [] : (WAYS[rule] ?? []))]
  const processes = await Promise.all(
    names.map((name) => {
      const own = OURS[name]
      return own === undefined
        ? startProcess(python ?? '', [PEERS, name, rule, ...sizes], true)
        : startProcess(process.execPath, [OWN, rule, ...sizes, ...own], true)
    }),
  )
  try {
    const first: Ran[] = []
    for (const one of processes) first.push(await run(one))
    const fastest = Math.min(...first.slice(ours).map(({ wall }) => wall))
    const kept = names.map((_, i) => i).filter((i) => i < ours || (first[i]?.wall ?? 0) <= HOPELESS * fastest)
    const taken = names.map((): Ran[] => [])
    for (let round = 0; round < runs; round++) for (const i of kept) taken[i]?.push(await run(processes[i] as Asked))
    const contenders = kept.map((i): Contender => {
      const all = taken[i] ?? []
      const note = i === 0 ? {} : { note: agreement(first[0]?.shown, all[0]?.shown) }
      return {
        name: names[i] ?? '',
        figure: measuredOf(all),
        peakMiB: Math.max(...all.map(({ peakMiB }) => peakMiB)),
        ...note,
      }
    })
    return { what: rule, ours: contenders.slice(0, ours), peers: contenders.slice(ours), aim: 3 }
  } finally {
    for (const one of processes) one.close()
  }
}

/** Over the first coordinates. */
function agreement(ours: Float32Array = new Float32Array(), theirs: Float32Array = new Float32Array()): string {
  const difference = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - (theirs[i] ?? Number.NaN))), 0)
  return `differs by at most ${difference.toPrecision(2)}`
}
