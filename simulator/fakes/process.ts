/**
 * One run of one node's program, from its start to its crash. Whatever the program waits for passes through `point`:
 * a boundary at which the process may die. What a dead process waits for never comes, so no line of it runs again.
 */

import type { Scheduler } from '../scheduler.ts'

export interface Process {
  readonly name: string
  readonly scheduler: Scheduler
  alive(): boolean
  /** Waits a little, if the process does not die here. `label` says what has just been reached. */
  point(label: string, delayMs?: number): Promise<void>
  /** Runs `action` later, if the process lives then. */
  after(delayMs: number, action: () => void): void
  kill(): void
}

/** Asked at each point; true kills the process there. */
export type Fate = (label: string) => boolean

export function createProcess(
  scheduler: Scheduler,
  name: string,
  fate: Fate = () => false,
  onKill: () => void = () => undefined,
): Process {
  let alive = true

  function kill(): void {
    if (!alive) return
    alive = false
    onKill()
  }

  function after(delayMs: number, action: () => void): void {
    scheduler.after(delayMs, () => {
      if (alive) action()
    })
  }

  function point(label: string, delayMs = scheduler.random.uniform()): Promise<void> {
    return new Promise((resolve) => {
      if (!alive) return
      scheduler.trace(name, label)
      if (fate(label)) kill()
      else after(delayMs, resolve)
    })
  }

  return { name, scheduler, alive: () => alive, point, after, kill }
}
