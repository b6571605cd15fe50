/**
 * The Python that the kernels are timed beside: of ENTENTE_BENCH_PYTHON, or of `bench/kernels-venv.ts`, or python3. It stays
 * alive, so that its contenders run in turn with ours and no start of Python is in a figure.
 */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { KERNELS_VENV } from './kernels-venv.ts'
import { pythonOf } from './python-venv.ts'

const PROGRAM = fileURLToPath(new URL('kernels_yardsticks.py', import.meta.url))

export interface PythonJob {
  readonly library: 'numpy' | 'torch'
  readonly what: 'product' | 'perceptron' | 'sage'
  /** m, k, n of a product. */
  readonly size?: readonly number[]
  readonly variant?: string
  readonly repeats: number
}

export interface Python {
  /** Of the libraries that can be imported. */
  readonly versions: Readonly<Record<string, string>>
  /** Milliseconds of one repetition. */
  run(job: PythonJob): Promise<number>
  close(): void
}

function interpreter(): string {
  const own = pythonOf(KERNELS_VENV)
  return process.env['ENTENTE_BENCH_PYTHON'] ?? (existsSync(own) ? own : 'python3')
}

/** Undefined where there is no Python, or neither of the libraries. */
export async function startPython(): Promise<Python | undefined> {
  const child = spawn(interpreter(), [PROGRAM], { stdio: ['pipe', 'pipe', 'pipe'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  child.on('error', () => child.kill())
  child.stdin.on('error', () => child.kill())
  const ask = async (job: object): Promise<Record<string, unknown>> => {
    child.stdin.write(`${JSON.stringify(job)}\n`)
    const { value, done } = await lines.next()
    if (done === true) throw new Error(`Python ended while it was measuring ${JSON.stringify(job)}`)
    return JSON.parse(value) as Record<string, unknown>
  }
  const versions = await ask({ what: 'versions' }).catch(() => ({}))
  if (Object.keys(versions).length === 0) {
    child.kill()
    return undefined
  }
  return { versions: versions as Record<string, string>, run: (job) => milliseconds(ask(job)), close: () => end(child) }
}

async function milliseconds(answer: Promise<Record<string, unknown>>): Promise<number> {
  const { ms } = await answer
  return Number(ms)
}

function end(child: ChildProcessWithoutNullStreams): void {
  child.stdin.end()
  child.kill()
}
