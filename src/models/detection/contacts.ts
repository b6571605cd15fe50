/**
 * What counts as one alert: all interactions of a source with a destination within a minute. An analyst reads a scan of ten
 * thousand packets once. Memory is bounded: of the contacts under way the oldest is closed when one more comes, and one
 * that goes on after that counts again.
 */

const OPEN_MAX = 1 << 16

/** Contacts under way, with the largest score of each; `close` gets that score once the contact is over. */
export class OpenContacts {
  private readonly open = new Map<string, number>()
  /** Goes on where it was: a new one would walk over all that was ever closed. */
  private oldest = this.open.keys()
  private readonly openMax: number
  private readonly close: (scoreMax: number, minute: number) => void

  constructor(close: (scoreMax: number, minute: number) => void, openMax: number = OPEN_MAX) {
    this.close = close
    this.openMax = openMax
  }

  /** True if this is the first interaction of its contact. `time` in seconds. */
  add(time: number, source: string, destination: string, score: number): boolean {
    const key = `${Math.floor(time / 60)} ${source} ${destination}`
    const before = this.open.get(key)
    if (before === undefined) {
      this.open.set(key, score)
      if (this.open.size > this.openMax) this.closeOldest()
      return true
    }
    if (score > before) this.open.set(key, score)
    return false
  }

  private closeOldest(): void {
    const { value: key } = this.oldest.next()
    if (key === undefined) return
    const score = this.open.get(key) as number
    this.open.delete(key)
    this.close(score, Number.parseInt(key, 10))
  }

  /** Closes all that are under way. */
  finish(): void {
    for (const [key, score] of this.open) this.close(score, Number.parseInt(key, 10))
    this.open.clear()
    this.oldest = this.open.keys()
  }
}
