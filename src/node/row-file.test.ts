import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createRowFile } from './row-file.ts'

let directory: string
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'entente-rows-'))))
afterEach(() => rmSync(directory, { recursive: true }))

it('gives back the values that were appended, from any place', () => {
  const file = createRowFile(directory)
  file.append(Float32Array.of(1, 2, 3))
  file.append(Float32Array.of(4, 5).subarray(1))
  expect(file.length).toBe(4)
  const into = new Float32Array(4)
  file.read(1, into.subarray(1))
  expect([...into]).toEqual([0, 2, 3, 5])
  file.close()
})

it('leaves nothing in the directory, even before it is closed', () => {
  const file = createRowFile(directory)
  file.append(Float32Array.of(1))
  expect(readdirSync(directory)).toEqual([])
  file.close()
})

it('refuses to read what was never written', () => {
  const file = createRowFile(directory)
  file.append(Float32Array.of(1))
  expect(() => file.read(0, new Float32Array(2))).toThrow(expect.objectContaining({ code: 'internal' }))
  file.close()
})
