/** A running process: what it has opened is closed in reverse order, once, whoever asks for the end. */

import type { Logger } from '../logging.ts'

export interface RunningNode {
  /** Base addresses by name: `api` of a hub, `control` of an organisation. */
  readonly urls: Readonly<Record<string, string>>
  /** Resolves when everything is closed. */
  readonly stopped: Promise<void>
  stop(): Promise<void>
}

export interface Lifecycle {
  /** Registers what to do at the end; the last registered comes first. */
  onStop(name: string, close: () => Promise<unknown>): void
  readonly stopped: Promise<void>
  stop(): Promise<void>
}

/** After a defect, nothing may keep the process from ending. */
const CRASH_MS_MAX = 5000

export function createLifecycle(log: Logger): Lifecycle {
  const closers: { name: string; close: () => Promise<unknown> }[] = []
  const { promise: stopped, resolve } = Promise.withResolvers<void>()
  let stopping = false

  async function stop(): Promise<void> {
    if (stopping) return stopped
    stopping = true
    removeHandlers()
    for (const { name, close } of closers.reverse())
      await close().catch((error: unknown) => log.error({ err: error, part: name }, 'a part did not close cleanly'))
    resolve()
  }

  /** Everything acknowledged is in the database, so ending at once is safe; going on in an unknown state is not. */
  async function crash(error: unknown): Promise<never> {
    log.fatal({ err: error }, 'a defect of this program: the process ends')
    setTimeout(() => process.exit(1), CRASH_MS_MAX).unref()
    await stop()
    process.exit(1)
  }

  const onDefect = (error: unknown): void => void crash(error)
  const end = (): void => void stop()
  process.once('SIGTERM', end).once('SIGINT', end).on('unhandledRejection', onDefect).on('uncaughtException', onDefect)
  function removeHandlers(): void {
    process.off('SIGTERM', end).off('SIGINT', end)
    // A second signal while we stop: whoever sends it means it.
    process.once('SIGTERM', () => process.exit(1)).once('SIGINT', () => process.exit(1))
    void stopped.then(() => process.off('unhandledRejection', onDefect).off('uncaughtException', onDefect))
  }
  return { onStop: (name, close) => void closers.push({ name, close }), stopped, stop }
}

/** Runs the start of a node; if it fails half-way, what was opened is closed again. */
export async function starting<T>(lifecycle: Lifecycle, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await lifecycle.stop()
    throw error
  }
}
