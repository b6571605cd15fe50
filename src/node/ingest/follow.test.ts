import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { interactionJsonParser } from '../../telemetry/formats/interaction-json.ts'
import { type FollowReport, followLog } from './follow.ts'

const HEADER = '#separator \\x09\n#path\tconn\n#fields\tts\tid.orig_h\tid.resp_h\n'
const row = (time: number): string => `${time}\t10.0.0.1\t10.0.0.2\n`

let room: string
let log: string
let out: string
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'entente-follow-'))
  log = join(room, 'conn.log')
  out = join(room, 'out')
})
afterEach(() => rmSync(room, { recursive: true, force: true }))

const times = (): number[] => {
  const path = join(out, 'interactions.jsonl')
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const parsed = interactionJsonParser('all').parse(line)
      return 'ok' in parsed && parsed.ok ? parsed.interaction.time : Number.NaN
    })
}

const acknowledged = (): number => {
  const path = join(out, 'follow.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { outputBytes: number }).outputBytes : -1
}

/** Waits until so many interactions are durable. */
const until = (count: number): Promise<void> =>
  vi.waitFor(() => {
    expect(times()).toHaveLength(count)
    expect(acknowledged()).toBe(readFileSync(join(out, 'interactions.jsonl')).length)
  }, 30_000)

function start(recheckMs = 50): { stop(): Promise<FollowReport>; done: Promise<FollowReport> } {
  const stopped = new AbortController()
  const done = followLog({
    path: log,
    format: 'auto',
    selection: 'all',
    directory: out,
    signal: stopped.signal,
    recheckMs,
  })
  done.catch(() => undefined)
  return {
    done,
    stop: () => {
      stopped.abort()
      return done
    },
  }
}

describe('a followed log', () => {
  it('gives each line once it is complete, and is woken without the timer', async () => {
    writeFileSync(log, HEADER + row(1))
    const following = start(3_600_000)
    await until(1)
    appendFileSync(log, row(2) + row(3).slice(0, 5))
    await until(2)
    appendFileSync(log, row(3).slice(5))
    await until(3)
    expect(times()).toEqual([1, 2, 3])
    expect(await following.stop()).toMatchObject({ kinds: { flow: 3 }, source: { lines: 6 }, rotations: 0 })
  })

  it('may come into being later', async () => {
    const following = start()
    writeFileSync(log, HEADER + row(1))
    await until(1)
    await following.stop()
  })

  it('goes on after a restart where it stopped, with the header that it read before', async () => {
    writeFileSync(log, HEADER + row(1))
    const first = start()
    await until(1)
    await first.stop()
    appendFileSync(log, row(2))
    const second = start()
    await until(2)
    expect(await second.stop()).toMatchObject({ source: { lines: 1, refused: {} } })
    expect(times()).toEqual([1, 2])
  })

  it('loses of its output what was written but not acknowledged, and reads that part again', async () => {
    writeFileSync(log, HEADER + row(1))
    const first = start()
    await until(1)
    await first.stop()
    appendFileSync(log, row(2))
    appendFileSync(join(out, 'interactions.jsonl'), '{"time":2,"source":"10.0')
    const second = start()
    await until(2)
    await second.stop()
    expect(times()).toEqual([1, 2])
  })

  it('is finished under its new name when it is renamed, its last line though nobody ended it', async () => {
    writeFileSync(log, HEADER + row(1))
    const following = start()
    await until(1)
    renameSync(log, `${log}.1`)
    appendFileSync(`${log}.1`, row(2) + row(3).trimEnd())
    writeFileSync(log, HEADER + row(4))
    await until(4)
    expect(await following.stop()).toMatchObject({ rotations: 1 })
    expect(times()).toEqual([1, 2, 3, 4])
  })

  it('is finished even if it was renamed while nobody followed', async () => {
    writeFileSync(log, HEADER + row(1))
    const first = start()
    await until(1)
    await first.stop()
    appendFileSync(log, row(2))
    renameSync(log, `${log}.1`)
    writeFileSync(log, HEADER + row(3))
    const second = start()
    await until(3)
    await second.stop()
    expect(times()).toEqual([1, 2, 3])
  })

  it('is read from its beginning when it was copied and truncated, also if it has outgrown its old length', async () => {
    writeFileSync(log, HEADER + row(1))
    const following = start()
    await until(1)
    copyFileSync(log, `${log}.1`)
    truncateSync(log, 0)
    appendFileSync(log, HEADER + row(2) + row(3) + row(4))
    await until(4)
    expect(await following.stop()).toMatchObject({ rotations: 1 })
    expect(times()).toEqual([1, 2, 3, 4])
  })

  it('drops a line without end in bounded memory', async () => {
    writeFileSync(log, `${HEADER}${row(1)}${'x'.repeat(9 << 20)}`)
    const following = start()
    await until(1)
    appendFileSync(log, `\n${row(2)}`)
    await until(2)
    expect((await following.stop()).source.refused).toEqual({ 'line-too-long': 1 })
  })

  it('refuses what is no file, no log, a JSON array, and an offset file of another log', async () => {
    mkdirSync(log)
    await expect(start().done).rejects.toMatchObject({ code: 'input-invalid' })
    rmSync(log, { recursive: true })
    writeFileSync(log, 'hello\n')
    await expect(start().done).rejects.toMatchObject({ code: 'input-invalid' })
    writeFileSync(log, '[{"event_type":"alert"}\n')
    await expect(start().done).rejects.toMatchObject({ code: 'input-invalid' })
    writeFileSync(log, HEADER + row(1))
    const following = start()
    await until(1)
    await following.stop()
    log = join(room, 'other.log')
    await expect(start().done).rejects.toMatchObject({ code: 'input-invalid' })
    writeFileSync(join(out, 'follow.json'), '{"version":1')
    await expect(start().done).rejects.toMatchObject({ code: 'input-invalid' })
  })

  it('is followed into a directory by one process at a time', async () => {
    writeFileSync(log, HEADER + row(1))
    const following = start()
    await until(1)
    await expect(start().done).rejects.toMatchObject({ code: 'already-exists' })
    await following.stop()
    await start().stop()
  })

  it('gives every line once, however often its reader is killed', async () => {
    writeFileSync(log, HEADER)
    const program = fileURLToPath(new URL('fixtures/following-process.ts', import.meta.url))
    let written = 0
    for (let round = 0; round < 4; round++) {
      const child = spawn(process.execPath, [program, log, out], { stdio: 'ignore' })
      const exited = once(child, 'exit')
      const before = times().length
      for (let i = 0; i < 3000; i++) appendFileSync(log, row(++written))
      if (round === 1) {
        renameSync(log, `${log}.1`)
        writeFileSync(log, HEADER)
      }
      await vi.waitFor(() => expect(times().length).toBeGreaterThan(before), 30_000)
      child.kill('SIGKILL')
      await exited
    }
    const following = start()
    await until(written)
    await following.stop()
    expect(times()).toEqual(Array.from({ length: written }, (_, i) => i + 1))
  })
})
