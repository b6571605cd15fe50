import { mkdtempSync, mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkHouse } from './floors.ts'
import { diagram, drawnIn, withDiagram } from './floors/diagram.ts'
import { checkFile } from './floors/rules.ts'

const reasons = (path: string, text: string): string[] => checkFile(path, text).map(({ reason }) => reason)

describe('imports between rooms', () => {
  it('downward, and inside a room, are allowed', () => {
    expect(reasons('src/learning/round.ts', `import { fail } from '../base/errors.ts'\nimport './config.ts'`)).toEqual(
      [],
    )
    expect(
      reasons('src/node/hub.ts', `import { round } from '../learning/round.ts'\nimport fs from 'node:fs'`),
    ).toEqual([])
    expect(reasons('simulator/main.ts', `import { createDrive } from '../src/node/drive.ts'`)).toEqual([])
  })

  it('upward are refused, with the line', () => {
    const [violation] = checkFile('src/base/hash.ts', `\nimport { keyAt } from '../registry/state.ts'`)
    expect(violation).toMatchObject({ line: 2, reason: expect.stringContaining('no import upward') })
  })

  it('sideways between rooms of one floor are refused', () => {
    expect(reasons('src/ledger/block.ts', `import { x } from '../models/model.ts'`)).toEqual([
      'ledger and models are on floor 1: no import sideways',
    ])
    expect(reasons('apps/cli/main.ts', `import { x } from '../api/server.ts'`)).toHaveLength(1)
  })

  it('are found in type imports, re-exports, import() and import types', () => {
    const forms = [
      `import type { X } from '../node/ports.ts'`,
      `export { x } from '../node/ports.ts'`,
      `export * from '../node/ports.ts'`,
      `const x = await import('../node/ports.ts')`,
      'const x = await import(`../node/ports.ts`)',
      `type X = import('../node/ports.ts').X`,
    ]
    for (const form of forms) expect(reasons('src/learning/round.ts', form), form).toHaveLength(1)
  })

  it('are not seen in comments and strings', () => {
    const text = `// import { x } from '../node/ports.ts'\n/* Date.now() */ const s = "import '../node/ports.ts'; Math.random()"`
    expect(reasons('src/learning/round.ts', text)).toEqual([])
  })

  it('of the simulator, benches and tests into the house are refused', () => {
    for (const other of ['simulator', 'bench', 'test', 'scripts'])
      expect(reasons('src/node/drive.ts', `import { x } from '../../${other}/x.ts'`), other).toHaveLength(1)
  })

  it('of tests are under the same rule, except that they may use test/', () => {
    expect(reasons('src/base/hash.test.ts', `import { sharedPath } from '../../test/shared.ts'`)).toEqual([])
    expect(reasons('src/base/hash.test.ts', `import { x } from '../node/drive.ts'`)).toHaveLength(1)
    expect(reasons('src/ledger/merkle.test.ts', `import { readFileSync } from 'node:fs'\nDate.now()`)).toEqual([])
  })

  it('of the simulator from the apps, and of the web from anywhere, are refused', () => {
    expect(reasons('simulator/world.ts', `import { x } from '../apps/api/server.ts'`)).toHaveLength(1)
    expect(reasons('apps/web/main.ts', `import { x } from '../../src/base/hash.ts'`)).toHaveLength(1)
  })
})

describe('pure rooms', () => {
  it.each([
    'const t = Date.now()',
    'const t = new Date()',
    'const r = Math.random()',
    'const f = Math.random',
    'const e = process.env',
    'const bytes = Buffer.from([])',
    'const env = globalThis.process.env',
    "const env = globalThis['process']",
    'const { process } = globalThis',
    'await fetch(url)',
    'setTimeout(() => {}, 1)',
    'const { pid } = process',
    'console.log(1)',
    `import { readFileSync } from 'node:fs'`,
    `import { Pool } from 'pg'`,
    `import { randomBytes } from 'node:crypto'`,
    `import { randomBytes as createHash } from 'node:crypto'`,
    `import * as crypto from 'node:crypto'`,
    'const later = performance.now()',
  ])('refuse: %s', (text) => {
    expect(reasons('src/learning/round.ts', text)).toHaveLength(1)
    expect(reasons('src/node/drive.ts', text)).toEqual([])
  })

  it.each([
    'const t = new Date(0)',
    'const t = Date.parse(text)',
    'function f(process: number) { return process + 1 }',
    'const performance = { now: 1 }; const later = performance.now',
    'const x = options.process',
    'const api = (globalThis as unknown as Api).WebAssembly',
    'interface A { fetch(): void }',
    `import { createHash, type Hash } from 'node:crypto'`,
    `import { z } from 'zod'`,
    `import canonicalize from 'canonicalize'`,
  ])('allow: %s', (text) => expect(reasons('src/learning/round.ts', text)).toEqual([]))
})

describe('the whole house', () => {
  it('is checked file by file, and a folder that is no room is refused', () => {
    const root = mkdtempSync(join(tmpdir(), 'floors-'))
    const files = {
      'src/base/a.ts': `import '../node/b.ts'`,
      'src/node/b.ts': '',
      'src/utils/c.ts': '',
      'src/base/a.md': '',
    }
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    expect(checkHouse(root, Object.keys(files)).map(({ path }) => path)).toEqual(['src/utils/c.ts', 'src/base/a.ts'])
  })
})

describe('the diagram', () => {
  const page = 'before\n<!-- floors: begin (npm run floors -- --write) -->\n<!-- floors: end -->\nafter\n'

  it('is written between the markers and found there again', () => {
    const written = withDiagram(page)
    expect(drawnIn(written)).toBe(diagram())
    expect(withDiagram(written)).toBe(written)
    expect(written).toMatch(/^before\n[^]*\nafter\n$/)
  })

  it('is seen to drift when the page or the table changes', () => {
    expect(drawnIn(withDiagram(page).replace('gateway', 'gatehouse'))).not.toBe(diagram())
    expect(drawnIn(page)).not.toBe(diagram())
    expect(drawnIn('no markers')).toBeUndefined()
  })
})
