/**
 * Homomorphic encryption beside python-paillier and TenSEAL, in one run.
 *
 *   node bench/homomorphic.ts [--parameters 1000000] [--bits 2048,3072] [--opened 20000] [--no-peers] [--no-direct]
 *
 * Everything is timed for all parameters, but opening where Paillier encrypts the updates themselves: that takes minutes for a
 * million, so it is timed for `--opened` of them and given for a million in proportion, marked with "~". Processor time over
 * all threads; wall time on two threads beside it. Keys are made of public primes (bench/homomorphic/primes.ts).
 */

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Digest } from '../src/base/ids.ts'
import { organisationId } from '../src/base/ids.ts'
import { dealNewCkks, openCkks } from '../src/node/homomorphic/ckks.ts'
import { dealNewHybrid, openHybrid } from '../src/node/homomorphic/hybrid.ts'
import { dealNewPaillier, openPaillier, type OpenScheme } from '../src/node/homomorphic/paillier.ts'
import type { ModulusBits } from '../src/privacy/homomorphic/paillier/parameters.ts'
import type { Dealt, HomomorphicScheme, PartialDecryption } from '../src/privacy/homomorphic/scheme.ts'
import { PUBLIC_PRIMES } from './homomorphic/primes.ts'
import { HOMOMORPHIC_VENV } from './homomorphic/venv.ts'
import { installVenv } from './python-venv.ts'
import { DEFAULT_LEVELS } from '../src/privacy/homomorphic/packing.ts'

const ORGANISATIONS = 10
const THRESHOLD = 7
const THREADS = 2
const PEER_NUMBERS = 100
const STATEMENT = '0'.repeat(64) as Digest
const request = {
  organisations: Array.from({ length: ORGANISATIONS }, (_, i) => organisationId(`org-${i}`)),
  threshold: THRESHOLD,
  levels: DEFAULT_LEVELS,
  contributionsMax: ORGANISATIONS,
}

/** Milliseconds. */
interface Taken {
  readonly wall: number
  readonly processor: number
}

async function taking<T>(work: () => Promise<T>): Promise<[T, Taken]> {
  const before = process.cpuUsage()
  const since = performance.now()
  const result = await work()
  const wall = performance.now() - since
  const { user, system } = process.cpuUsage(before)
  return [result, { wall, processor: (user + system) / 1000 }]
}

const seconds = (ms: number): string => (ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`)
const show = ({ wall, processor }: Taken, times = 1): string =>
  `${times === 1 ? '' : '~'}${seconds(processor * times)} processor, ${times === 1 ? '' : '~'}${seconds(wall * times)} wall`
const line = (what: string, value: string): void => console.log(`  ${what.padEnd(44)} ${value}`)

const valuesOf = (length: number): Int32Array =>
  Int32Array.from({ length }, (_, i) => ((i * 7919) % (2 * request.levels + 1)) - request.levels)

export interface Figures {
  /** Milliseconds of processor time for all parameters. */
  readonly encrypt: number
  readonly add: number
  readonly partial: number
  /** Verifying and combining. */
  readonly combine: number
}

async function bench(scheme: HomomorphicScheme, dealt: Dealt, parameters: number, opened: number): Promise<Figures> {
  const values = valuesOf(parameters)
  const seed = (i: number): Uint8Array => new Uint8Array(32).fill(i)
  // The threads and their tables are there before anything counts; a node keeps them between rounds.
  await scheme.encrypt(values.subarray(0, Math.min(1000, parameters)), seed(99))
  const [vector, encrypt] = await taking(() => scheme.encrypt(values, seed(0), STATEMENT))
  line('encrypt', `${show(encrypt)}; ${(vector.length / 1e6).toFixed(1)} MB`)
  const [, check] = await taking(() => scheme.check(vector, STATEMENT))
  line('check one contribution', show(check))
  const contributions = Array.from({ length: ORGANISATIONS }, () => vector)
  const [whole, add] = await taking(() => scheme.add(contributions))
  line(`add ${ORGANISATIONS} contributions`, show(add))
  const part = await scheme.encrypt(values.subarray(0, opened), seed(1))
  const sum = opened === parameters ? whole : await scheme.add(Array.from({ length: ORGANISATIONS }, () => part))
  const times = parameters / opened
  const given: PartialDecryption[] = []
  let partial: Taken = { wall: 0, processor: 0 }
  for (const [i, { organisation, share }] of dealt.shares.slice(0, THRESHOLD).entries()) {
    const [bytes, taken] = await taking(() => scheme.partialDecrypt(sum, share, STATEMENT, seed(i)))
    if (i === 0) partial = taken
    given.push({ organisation, bytes })
  }
  line(
    'partial decryption with proof, one of them',
    `${show(partial, times)}; ~${((times * (given[0]?.bytes.length ?? 0)) / 1e6).toFixed(1)} MB`,
  )
  const [combined, combine] = await taking(() => scheme.combine(sum, given, STATEMENT))
  line(`verify ${THRESHOLD} proofs and combine`, show(combine, times))
  const exact = combined.opened && combined.sums.every((value, i) => value === ORGANISATIONS * (values[i] ?? 0))
  if (!exact) throw new Error('the opened sum is not the plain sum')
  line('the opened sum', 'is the plain integer sum, exactly')
  return {
    encrypt: encrypt.processor,
    add: add.processor,
    partial: partial.processor * times,
    combine: combine.processor * times,
  }
}

async function benchOpened(scheme: OpenScheme, ...rest: [Dealt, number, number]): Promise<Figures> {
  try {
    return await bench(scheme, ...rest)
  } finally {
    await scheme.close()
  }
}

interface PeerFigures {
  readonly encrypt: number
  readonly add: number
  readonly decrypt: number
  readonly bytes: number
}

interface Peers {
  readonly versions: Readonly<Record<string, string>>
  readonly paillier: PeerFigures & { readonly numbers: number }
  readonly ckks: PeerFigures
}

function askPeers(bits: number, parameters: number): Peers | undefined {
  const installed = installVenv(HOMOMORPHIC_VENV)
  if (!('python' in installed)) {
    console.log(`not measured: python-paillier and TenSEAL (${installed.why})`)
    return undefined
  }
  const script = fileURLToPath(new URL('homomorphic/peers.py', import.meta.url))
  const { stdout, stderr } = spawnSync(installed.python, [script, `${bits}`, `${PEER_NUMBERS}`, `${parameters}`], {
    encoding: 'utf8',
  })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout) as Peers
}

function compare(what: string, own: Figures, { paillier }: Peers, parameters: number): void {
  const each = (ms: number): string => `${((1000 * ms) / parameters).toFixed(2)} µs`
  const peer = (ms: number): number => (ms / paillier.numbers) * parameters
  line(
    `python-paillier, ${what}, for as many`,
    `encrypt ${seconds(peer(paillier.encrypt))}, add one ${seconds(peer(paillier.add))}, decrypt ${seconds(peer(paillier.decrypt))}, ${(peer(paillier.bytes) / 1e6).toFixed(0)} MB`,
  )
  line(
    'a parameter: own encryption',
    `${each(own.encrypt)}, ${(peer(paillier.encrypt) / own.encrypt).toFixed(0)} x faster`,
  )
  line(
    'a parameter: own addition, of one contribution',
    `${each(own.add / (ORGANISATIONS - 1))}, ${(peer(paillier.add) / (own.add / (ORGANISATIONS - 1))).toFixed(0)} x faster`,
  )
  line(
    'a parameter: own partial decryption',
    `${each(own.partial)}, ${(peer(paillier.decrypt) / own.partial).toFixed(0)} x faster (theirs: one holder of the key, by its factors)`,
  )
  const opening = own.partial + own.combine
  line(
    'a parameter: one partial decryption, and combining',
    `${each(opening)}, ${(peer(paillier.decrypt) / opening).toFixed(0)} x faster`,
  )
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      parameters: { type: 'string', default: '1000000' },
      bits: { type: 'string', default: '2048,3072' },
      opened: { type: 'string', default: '20000' },
      'no-direct': { type: 'boolean', default: false },
      'no-peers': { type: 'boolean', default: false },
    },
  })
  const parameters = Number(options.parameters)
  const opened = Math.min(parameters, Number(options.opened))
  console.log(`${parameters} parameters, ${ORGANISATIONS} organisations, ${THRESHOLD} of them open, ${THREADS} threads`)
  for (const bits of options.bits.split(',').map(Number) as ModulusBits[]) {
    const primes = PUBLIC_PRIMES[bits]
    if (primes === undefined) throw new Error(`there are no primes for ${bits} bits`)
    const how = { modulusBits: bits, exponentBits: 256, primes }
    console.log(`\nthreshold Paillier of keys, ${bits} bits`)
    const keys = await dealNewHybrid(request, how)
    const own = await benchOpened(openHybrid(keys.parameters, THREADS), keys, parameters, parameters)
    const peers = options['no-peers'] ? undefined : askPeers(bits, parameters)
    if (peers !== undefined) compare(`${bits} bits`, own, peers, parameters)
    if (options['no-direct']) continue
    console.log(`\nthreshold Paillier of updates themselves (--direct), ${bits} bits`)
    const updates = await dealNewPaillier(request, how)
    const direct = await benchOpened(openPaillier(updates.parameters, THREADS), updates, parameters, opened)
    if (peers === undefined) continue
    compare(`${bits} bits`, direct, peers, parameters)
    const { encrypt, add, decrypt, bytes } = peers.ckks
    line(
      'TenSEAL, CKKS',
      `encrypt ${seconds(encrypt)}, add one ${seconds(add)}, decrypt ${seconds(decrypt)}, ${(bytes / 1e6).toFixed(0)} MB`,
    )
  }
  for (const set of ['50-50', '60-60-60'] as const) {
    console.log(`\nCKKS, ${set}, one thread`)
    const dealt = await dealNewCkks(request, set)
    await bench(await openCkks(dealt.parameters), dealt, parameters, parameters)
  }
}

await main()
