import { execFileSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
const PROGRAM = path('../../test/kernel-bits.mjs')
const WASM = path('../models/kernels/kernels.wasm')
const OLDEST = 20

/** This Node, every other one on the PATH, and those of ENTENTE_NODES (paths of binaries); from version 20 on. */
function installedNodes(): Map<string, string> {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, 'node'))
  const named = (process.env['ENTENTE_NODES'] ?? '').split(delimiter)
  const binaries = [process.execPath, ...onPath, ...named].filter((file) => file !== '' && existsSync(file))
  const nodes = new Map<string, string>()
  for (const binary of new Set(binaries.map((file) => realpathSync(file)))) {
    const version = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim()
    if (Number(version.slice(1).split('.')[0]) >= OLDEST) nodes.set(version, binary)
  }
  return nodes
}

describe('the kernels give the same bits', () => {
  it.each([...installedNodes()])('on Node %s (those that are installed)', (_, binary) => {
    const digest = execFileSync(binary, [PROGRAM, WASM], { encoding: 'utf8' }).trim()
    expect(digest).toMatchInlineSnapshot(`"e96f9b7d40e6e162e74ec5d099025eb760ce15873423778a5672c268c65ad9d3"`)
  })
})
