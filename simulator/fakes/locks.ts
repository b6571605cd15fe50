/** Row locks of the fake database: held to the end of the transaction; a circle of waiting transactions is broken. */

import { EntenteError } from '../../src/base/errors.ts'

/** Thrown into a transaction that must be rolled back and run again, as PostgreSQL does with SQLSTATE 40001 and 40P01. */
export class SerialisationFailure extends EntenteError {
  constructor(message: string) {
    super('unavailable', message)
  }
}

export interface Locks {
  acquire(holder: object, key: string): Promise<void>
  release(holder: object): void
}

export function createLocks(): Locks {
  const holders = new Map<string, object>()
  const queues = new Map<string, { holder: object; grant: () => void }[]>()
  const waitsFor = new Map<object, string>()

  function wouldDeadlock(holder: object, key: string): boolean {
    let ahead = holders.get(key)
    while (ahead !== undefined && ahead !== holder) {
      const wanted = waitsFor.get(ahead)
      ahead = wanted === undefined ? undefined : holders.get(wanted)
    }
    return ahead === holder
  }

  async function acquire(holder: object, key: string): Promise<void> {
    const owner = holders.get(key)
    if (owner === holder) return
    if (owner === undefined) return void holders.set(key, holder)
    if (wouldDeadlock(holder, key)) throw new SerialisationFailure(`deadlock on ${key}`)
    waitsFor.set(holder, key)
    await new Promise<void>((grant) => {
      const queue = queues.get(key) ?? []
      queue.push({ holder, grant })
      queues.set(key, queue)
    })
  }

  function release(holder: object): void {
    for (const [key, owner] of holders) {
      if (owner !== holder) continue
      const next = queues.get(key)?.shift()
      if (next === undefined) {
        holders.delete(key)
        queues.delete(key)
        continue
      }
      holders.set(key, next.holder)
      waitsFor.delete(next.holder)
      next.grant()
    }
  }

  return { acquire, release }
}
