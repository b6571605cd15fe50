/** A server in the foreground: says when it is ready and waits for its end, which a signal or a defect brings. */

import type { ServeControl, ServeHub } from '../../src/node/serving.ts'
import type { RunningNode } from '../../src/node/start/lifecycle.ts'
import type { OutputOptions } from './output.ts'

/** What serves the two roles over HTTP. */
export interface Servers {
  readonly serveHub: ServeHub
  readonly serveControl: ServeControl
}

/** Prints one line when the node is ready (with `--json`, `{"event":"ready",...}`) and returns when it has stopped. */
export async function runUntilStopped(
  role: string,
  options: OutputOptions,
  start: () => Promise<RunningNode>,
): Promise<void> {
  const { urls, stopped } = await start()
  const ready = { event: 'ready', role, pid: process.pid, ...urls }
  const line = options.json === true ? JSON.stringify(ready) : `${role} is ready: ${Object.values(urls).join(', ')}`
  process.stdout.write(`${line}\n`)
  await stopped
}
