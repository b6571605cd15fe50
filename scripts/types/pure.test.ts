import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What the compiler says about each text, compiled as a file of a pure room. */
function compile(texts: readonly string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'pure-'))
  texts.forEach((text, i) => writeFileSync(join(directory, `t${i}.mts`), `${text}\nexport {}\n`))
  const config = {
    extends: join(ROOT, 'src/tsconfig.pure.json'),
    include: ['*.mts', join(ROOT, 'scripts/types/pure.d.ts')],
  }
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(ROOT, 'node_modules/typescript-7/bin/tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', directory], { encoding: 'utf8' })
  return texts.map((_, i) => stdout.split('\n').find((line) => line.includes(`t${i}.mts(`)) ?? 'compiles')
}

it('a clock, a die, a disk, a network or a timer in a pure room does not compile', () => {
  const impure = [
    'console.log(process.env)',
    'await fetch("")',
    'setTimeout(() => 1, 1)',
    'export const bytes = Buffer.from([1])',
    `import { randomBytes } from 'node:crypto'; randomBytes(1)`,
    `import { readFileSync } from 'node:fs'; readFileSync('')`,
    'crypto.getRandomValues(new Uint8Array(1))',
    'export const later = performance.now()',
  ]
  const verdicts = compile(impure)
  expect(impure.filter((_, i) => !/error TS(2304|2305|2307|2580|2584|2591)/.test(verdicts[i] ?? ''))).toEqual([])
})

it('hashes, signatures, ciphers, text encodings and WebAssembly in a pure room compile', () => {
  const pure = [
    `import { createHash } from 'node:crypto'; export const hex: string = createHash('sha256').update(new Uint8Array(1)).digest('hex')`,
    `import { createPrivateKey, sign } from 'node:crypto'; sign(null, new Uint8Array(1), createPrivateKey({ key: new Uint8Array(48), format: 'der', type: 'pkcs8' }))`,
    `import { createCipheriv } from 'node:crypto'; createCipheriv('aes-256-gcm', new Uint8Array(32), new Uint8Array(12)).getAuthTag()`,
    'export const text: string = new TextDecoder().decode(new TextEncoder().encode("x"))',
    'export const memory = new WebAssembly.Memory({ initial: 1 }).buffer.byteLength',
  ]
  expect(compile(pure)).toEqual(pure.map(() => 'compiles'))
})
