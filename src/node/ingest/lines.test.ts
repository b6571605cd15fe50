import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { prng } from '../../base/prng.ts'
import { LINE_LENGTH_MAX, readLines } from './lines.ts'

async function linesOf(content: string | Uint8Array): Promise<{ lines: string[]; unterminated: boolean }> {
  const room = mkdtempSync(join(tmpdir(), 'entente-lines-'))
  try {
    writeFileSync(join(room, 'log'), content)
    const lines: string[] = []
    let unterminated = false
    for await (const batch of readLines(join(room, 'log'))) {
      for (const line of batch.lines) lines.push(line)
      unterminated = batch.unterminated
    }
    return { lines, unterminated }
  } finally {
    rmSync(room, { recursive: true, force: true })
  }
}

describe('lines of a file', () => {
  const random = prng('lines')
  const long = Array.from({ length: 40_000 }, () => 'zürich €🦉'.repeat(random.below(4)))

  it('are the same however the bytes fall into chunks, in plain and gzip', async () => {
    const text = `${long.join('\n')}\n`
    expect(await linesOf(text)).toEqual({ lines: long, unterminated: false })
    expect(await linesOf(gzipSync(text))).toEqual({ lines: long, unterminated: false })
  })

  it('lose their carriage returns, and show when the last has no end', async () => {
    expect(await linesOf('a\r\nb\n\nc')).toEqual({ lines: ['a', 'b', '', 'c'], unterminated: true })
    expect(await linesOf('')).toEqual({ lines: [], unterminated: false })
  })

  it('that are too long come once, cut, and do not hide the next', async () => {
    const huge = 'x'.repeat(3 * LINE_LENGTH_MAX)
    const { lines } = await linesOf(`before\n${huge}\nafter\n`)
    expect(lines.map((line) => Math.min(line.length, LINE_LENGTH_MAX + 1))).toEqual([6, LINE_LENGTH_MAX + 1, 5])
    expect((await linesOf(`before\n${huge}`)).lines).toHaveLength(2)
  })
})
