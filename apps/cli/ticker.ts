/** A line on standard error now and then, for work that lasts: nothing in the first two seconds. */

const QUIET_MS = 2000
const EVERY_MS = 1000
/** Where nobody watches, lines are kept. */
const EVERY_MS_UNWATCHED = 10_000

export interface Ticker {
  tick(what: string, count: number): void
  /** Takes the line away. */
  clear(): void
}

export function createTicker(out: NodeJS.WriteStream = process.stderr): Ticker {
  const live = out.isTTY === true
  const every = live ? EVERY_MS : EVERY_MS_UNWATCHED
  const started = performance.now()
  let next = started + QUIET_MS
  let shown = false
  return {
    tick(what, count) {
      const now = performance.now()
      if (now < next) return
      next = now + every
      shown = true
      const rate = Math.round((count * 1000) / (now - started)).toLocaleString('en')
      const text = `${what} ${count.toLocaleString('en')} interactions, ${rate}/s since the start`
      out.write(live ? `\r\u001b[K${text}` : `${text}\n`)
    },
    clear() {
      if (live && shown) out.write('\r\u001b[K')
      shown = false
    },
  }
}
