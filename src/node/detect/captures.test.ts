/** Findings in real captures, against the compiled schema. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ocsfProblems, ocsfSchema } from '../../../test/ocsf.ts'
import { sharedPath } from '../../../test/shared.ts'
import { createModel } from '../../models/model.ts'
import { DEFAULT_TGNN } from '../default-model.ts'
import { loadKernels } from '../kernels.ts'
import { encodeFlat, modelMetadata } from '../model-files.ts'
import { detect } from './detect.ts'
import type { DetectionContext } from './detection.ts'
import { ecsDetection } from './formats/ecs.ts'
import { ocsfDetection } from './formats/ocsf.ts'
import { noOutput } from './fixtures/no-output.ts'
import { loadModel } from './model-file.ts'

const schema = ocsfSchema()
const CAPTURES: readonly [file: string, interactions: number][] = [
  ['suricata/slips-test6.eve.json.gz', 3777],
  ['suricata/wrccdc-2018.alerts.json.gz', 140],
  ['zeek/otrf-apt29-day1.combined_zeek.jsonl.gz', 613],
  ['zeek/ctu-sme-11-win.conn.log.labeled.gz', 766],
  ['windows/empire_psexec_dcerpc_tcp_svcctl.zip', 91],
]

describe.skipIf(schema === undefined)('findings in public captures', () => {
  it.each(CAPTURES)(
    'of %s are valid OCSF, each with its ends, and none is NaN (reads shared data)',
    async (file, count) => {
      const room = mkdtempSync(join(tmpdir(), 'entente-captures-'))
      try {
        const untrained = createModel(DEFAULT_TGNN, loadKernels())
        const path = join(room, 'model.safetensors')
        writeFileSync(
          path,
          encodeFlat(untrained.layout, modelMetadata(DEFAULT_TGNN, 'v1'), untrained.initialise('captures')),
        )
        const model = await loadModel(path)
        const context: DetectionContext = {
          modelDigest: model.digest,
          modelKind: 'tgnn',
          programVersion: '0',
          now: () => 0,
        }
        const problems: string[] = []
        const report = await detect({
          model,
          objective: 'supervised',
          localNetworks: [],
          logFormat: 'auto',
          paths: [sharedPath(`data/${file}`) as string],
          threshold: 0,
          rates: [],
          all: true,
          scoreMin: Number.NEGATIVE_INFINITY,
          explained: true,
          output: noOutput,
          format: (detection) => {
            const finding: unknown = JSON.parse(JSON.stringify(ocsfDetection(detection, context)))
            problems.push(...ocsfProblems(schema as NonNullable<typeof schema>, 'detection_finding', finding))
            const event = JSON.stringify(ecsDetection(detection, context))
            if (/\bnull\b/.test(event.replace(/"entente":.*$/, ''))) problems.push(`null in ${event}`)
          },
        })
        expect([...new Set(problems)]).toEqual([])
        expect(report.interactions).toBe(count)
      } finally {
        rmSync(room, { recursive: true, force: true })
      }
    },
  )
})
