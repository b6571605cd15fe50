import type { Process } from './process.ts'

/** Sleep on virtual time, cut short by the signal. */
export function createSleep(process: Process): (ms: number, signal?: AbortSignal) => Promise<void> {
  return (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return process.after(0, resolve)
      signal?.addEventListener('abort', () => process.after(0, resolve), { once: true })
      process.after(ms, resolve)
    })
}
