/** Progress on standard error: a bar on a terminal, a line now and then elsewhere. */

export type Say = (text: string, share?: number) => void

export interface Progress {
  /** Announces the phase, runs it, and notes how long it took. */
  phase<T>(name: string, work: (say: Say) => Promise<T>): Promise<T>
  phasesMs(): Record<string, number>
  close(): void
}

const BAR_WIDTH = 24
/** On a log file, a phase that lasts says where it is this often. */
const LINE_EVERY_MS = 5_000

export function createProgress(out: NodeJS.WriteStream = process.stderr): Progress {
  const durations: Record<string, number> = {}
  const live = out.isTTY === true

  function show(name: string, text: string, share: number | undefined): void {
    const bar = share === undefined ? '' : `${renderBar(share)} `
    out.write(live ? `\r\u001b[K  ${name}  ${bar}${text}` : `  ${name}: ${bar}${text}\n`)
  }

  function say(name: string): Say {
    let shown = live ? 0 : performance.now()
    return (text, share) => {
      const now = performance.now()
      if (now - shown < (live ? 80 : LINE_EVERY_MS)) return
      shown = now
      show(name, text, share)
    }
  }

  return {
    async phase(name, work) {
      const started = performance.now()
      if (live) show(name, '…', undefined)
      const result = await work(say(name))
      durations[name] = Math.round(performance.now() - started)
      out.write(`${live ? '\r\u001b[K' : ''}  ${name}: ${(durations[name] / 1000).toFixed(1)} s\n`)
      return result
    },
    phasesMs: () => ({ ...durations }),
    close: () => {
      if (live) out.write('\r\u001b[K')
    },
  }
}

function renderBar(share: number): string {
  const full = Math.round(BAR_WIDTH * Math.min(1, Math.max(0, share)))
  return `[${'='.repeat(full)}${' '.repeat(BAR_WIDTH - full)}]`
}
