/** Another process that answers a line of JSON with a line of JSON: a peer's Python, or our own in a memory of its own. */

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface Asked {
  ask(job: unknown): Promise<Readonly<Record<string, unknown>>>
  close(): void
}

/** @param greets - whether it says a line when it is ready @throws with what it wrote to stderr when it ends early */
export async function startProcess(command: string, parameters: readonly string[], greets: boolean): Promise<Asked> {
  const child = spawn(command, parameters, { stdio: ['pipe', 'pipe', 'pipe'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2000)))
  child.on('error', (error) => (complaint += error.message))
  child.stdin.on('error', () => child.kill())

  async function next(): Promise<Readonly<Record<string, unknown>>> {
    const { value, done } = await lines.next()
    if (done === true) throw new Error(`${command} ended while it was asked: ${complaint}`)
    return JSON.parse(value) as Readonly<Record<string, unknown>>
  }

  if (greets) await next()
  return {
    ask(job) {
      child.stdin.write(`${JSON.stringify(job)}\n`)
      return next()
    },
    close() {
      child.stdin.end()
      child.kill()
    },
  }
}
