/** Waiting for a file to change: woken by the operating system, and by a timer, since network file systems tell nothing. */

import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

export interface Wake {
  /** Returns when the file may have changed since the last call, the time is over, or `signal` says stop. */
  wait(recheckMs: number): Promise<void>
  close(): void
}

/** Watches the directory, since the file is renamed and made anew when it is rotated. */
export function watchFile(path: string, signal: AbortSignal): Wake {
  const name = basename(path)
  let changed = false
  let wake = (): void => undefined
  const notice = (): void => {
    changed = true
    wake()
  }
  let watcher: FSWatcher | undefined
  try {
    // Other files of the directory change too, what is written from this log perhaps among them.
    watcher = watch(dirname(path), (_event, file) => {
      if (file === null || file === name) notice()
    })
    watcher.on('error', () => watcher?.close())
  } catch {
    // Out of watches (fs.inotify.max_user_watches): the timer remains.
  }
  signal.addEventListener('abort', notice)

  async function wait(recheckMs: number): Promise<void> {
    if (!changed && !signal.aborted)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, recheckMs)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    wake = () => undefined
    changed = false
  }

  function close(): void {
    signal.removeEventListener('abort', notice)
    watcher?.close()
  }

  return { wait, close }
}
