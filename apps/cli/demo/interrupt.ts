/** Ctrl-C during the demo: processes are stopped and files removed before the program ends. */

export interface Interrupt {
  /** Resolves at the first interrupt. From the call on, an interrupt no longer ends the program: the caller goes on. */
  wait(): Promise<void>
  off(): void
}

export function stopOnInterrupt(cleanUp: () => Promise<void>): Interrupt {
  let waiter: (() => void) | undefined
  let stopping = false
  function onSignal(): void {
    if (waiter !== undefined) {
      waiter()
      return
    }
    // A second interrupt while cleaning up is a person who will not wait.
    if (stopping) process.exit(130)
    stopping = true
    cleanUp().then(
      () => process.exit(130),
      (error: unknown) => {
        process.stderr.write(`entente: cleaning up failed: ${String(error)}\n`)
        process.exit(130)
      },
    )
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    wait: () =>
      new Promise((resolve) => {
        waiter = () => {
          waiter = undefined
          resolve()
        }
      }),
    off: () => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
