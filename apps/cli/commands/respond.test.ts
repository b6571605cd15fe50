import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadKernels } from '../../../test/kernels.ts'
import { policyObservations } from '../../../src/models/policy/observer.ts'
import { createPolicy } from '../../../src/models/policy/policy.ts'
import { createModel } from '../../../src/models/model.ts'
import { encodeFlat, modelMetadata } from '../../../src/node/model-files.ts'
import { encodePolicy } from '../../../src/node/policy/policy-file.suite.ts'

const program = fileURLToPath(new URL('../../../bin/entente.mjs', import.meta.url))
const run = promisify(execFile)

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function entente(...args: string[]): Promise<Ended> {
  try {
    return { code: 0, ...(await run(process.execPath, [program, 'respond', ...args])) }
  } catch (error) {
    const { code, stdout, stderr } = error as Ended
    return { code, stdout, stderr }
  }
}

const room = mkdtempSync(join(tmpdir(), 'entente-respond-'))
afterAll(() => rmSync(room, { recursive: true, force: true }))

function place(name: string, content: string | Uint8Array): string {
  writeFileSync(join(room, name), content)
  return join(room, name)
}

let policyFile: string
let stateFile: string

beforeAll(async () => {
  const spec = {
    kind: 'policy',
    observations: policyObservations(13),
    actions: 53,
    hidden: [8, 8],
    slots: 'apart',
  } as const
  const policy = createPolicy(spec, loadKernels())
  policyFile = place('policy.safetensors', encodePolicy({ policy, parameters: policy.initialise('cli') }, 'v1'))
  stateFile = place('state.json', (await entente('--example')).stdout)
})

describe('entente respond', () => {
  it('advises on its own example, with a reason, alternatives and a value, and says that it did nothing', async () => {
    const { code, stdout } = await entente('--policy', policyFile, '--state', stateFile)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Advice: \w+/)
    expect(stdout).toMatch(/\nReason: .{10}/)
    expect(stdout).toMatch(/nothing was done, and nothing will be unless somebody does it/)
  })

  it('prints the same as JSON, the hash of the policy with it; nothing that is unavailable is in it', async () => {
    const { stdout } = await entente('--policy', policyFile, '--state', stateFile, '--json')
    const report = JSON.parse(stdout) as { alternatives: object[]; policy: { model_hash: string } }
    expect(report).toMatchObject({ acted: false, policy: { version: 'v1' } })
    expect(report.policy.model_hash).toMatch(/^[0-9a-f]{64}$/)
    expect(report.alternatives).toHaveLength(4)
    expect([report, ...report.alternatives]).not.toContainEqual(
      expect.objectContaining({ action: 'restore', host: 'enterprise0' }),
    )
  })

  it('takes a network from a file beside the state, and refuses what does not fit it', async () => {
    const unknown = place(
      'unknown.json',
      JSON.stringify({ format: 'entente-response-state-1', topology: 'away.json', history: [{}] }),
    )
    expect(await entente('--policy', policyFile, '--state', unknown)).toMatchObject({ code: 1 })
    place('away.json', '{ "name": "own" }')
    const { code, stderr } = await entente('--policy', policyFile, '--state', unknown)
    expect(code).toBe(2)
    expect(stderr).toMatch(/topology: subnets/)
  })

  it('refuses a state that cannot be, with the place and what there is instead', async () => {
    const history = [{}, { did: 'restore printer' }]
    const bad = place('bad.json', JSON.stringify({ format: 'entente-response-state-1', topology: 'cage2', history }))
    const { code, stderr } = await entente('--policy', policyFile, '--state', bad)
    expect(code).toBe(1)
    expect(stderr).toMatch(/history.1.did: network cage2 has no host printer; it has defender/)
    const { stderr: broken } = await entente('--policy', policyFile, '--state', place('broken.json', '{'))
    expect(broken).toMatch(/broken.json is not JSON/)
  })

  it('refuses a file that is no policy, and one of another size than the network', async () => {
    const mlp = createModel({ kind: 'mlp', inputs: 3, hidden: [] }, loadKernels())
    const other = encodeFlat(mlp.layout, modelMetadata(mlp.spec, 'v1'), mlp.initialise('x'))
    const scorer = await entente('--policy', place('mlp.safetensors', other), '--state', stateFile)
    expect(scorer.code).toBe(3)
    expect(scorer.stderr).toMatch(/kind mlp, which scores interactions: see entente detect/)
    expect((await entente('--policy', place('noise', 'not a model'), '--state', stateFile)).code).toBe(3)
    expect((await entente('--policy', join(room, 'absent'), '--state', stateFile)).stderr).toMatch(/no policy at/)
    const larger = place(
      'larger.json',
      JSON.stringify({ format: 'entente-response-state-1', topology: 'cage2', slots: 20, history: [{}] }),
    )
    expect((await entente('--policy', policyFile, '--state', larger)).stderr).toMatch(
      /20 slots.*see slots in the state/,
    )
  })
})
