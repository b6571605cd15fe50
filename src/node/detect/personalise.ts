/** Trains an organisation's own model on its own labels, to stand beside a shared one. Nothing of it leaves the machine. */

import { dirname } from 'node:path'
import { fail } from '../../base/errors.ts'
import { sha256Hex } from '../../base/hash.ts'
import type { Digest } from '../../base/ids.ts'
import { createModel, type Model } from '../../models/model.ts'
import { levelOf } from '../../models/personalise.ts'
import { openDataset } from '../dataset-files.ts'
import { loadKernels } from '../kernels.ts'
import { encodeFlat, modelMetadata } from '../model-files.ts'
import { replaceFile } from '../replace-file.ts'
import { gatherMatrix, type LabelledData, selectRows, type TrainingMatrix } from '../training-matrix.ts'
import { cannotWrite } from './cannot-write.ts'
import { loadModel } from './model-file.ts'
import { besideMetadata } from './personal-model.ts'

/** As the silos of docs/benchmarks.md. */
const TRAINING = { epochs: 10, batchSize: 1024, learningRate: 3e-3, optimiser: 'adam', proximalMu: 0 } as const
const ROWS_MAX = 50_000
const SCORED_ROWS = 1024

export interface PersonaliseOptions {
  readonly sharedPath: string
  readonly data: LabelledData
  readonly output: string
  readonly rowsMax?: number
}

export interface PersonalModel {
  readonly file: string
  /** SHA-256 of the file. */
  readonly model_hash: Digest
  readonly beside: Digest
  readonly rows: number
  readonly attacks: number
  readonly families: readonly string[]
}

/**
 * The same data gives the same file.
 * @throws not-found, model-invalid, not-finite; no-data without both harmless rows and attacks of families investigated here
 */
export async function personalise(options: PersonaliseOptions): Promise<PersonalModel> {
  const { sharedPath, output } = options
  const shared = await loadModel(sharedPath)
  const model = createModel(shared.spec, loadKernels())
  const matrix = await matrixOf(options, model)
  try {
    const { rows, positives: attacks, families } = matrix
    if (attacks === 0 || attacks === rows)
      fail('no-data', 'an own model needs both harmless rows and attacks with labels; the shared one serves without')
    const start = model.initialise('personal')
    const { parameters } = model.train(start, matrix, { ...TRAINING, seed: 'personal' })
    const [sharedLevel, ownLevel] = [shared.parameters, parameters].map((of) =>
      levelOf(harmlessScores(model, of, matrix)),
    )
    const metadata = {
      ...modelMetadata(shared.spec, 'own'),
      ...besideMetadata({ shared: shared.digest, sharedLevel: sharedLevel ?? 0, ownLevel: ownLevel ?? 0 }),
    }
    const file = encodeFlat(model.layout, metadata, parameters)
    await replaceFile(output, file, 0o600).catch(cannotWrite(output))
    return { file: output, model_hash: sha256Hex(file), beside: shared.digest, rows, attacks, families }
  } finally {
    matrix.features.close()
  }
}

async function matrixOf(
  { data, output, rowsMax = ROWS_MAX }: PersonaliseOptions,
  model: Model,
): Promise<TrainingMatrix> {
  const dataset = await openDataset(data.directory)
  try {
    const selected = selectRows(dataset, data, rowsMax)
    return await gatherMatrix([{ dataset, selected }], model.spec, dirname(output))
  } finally {
    await dataset.close()
  }
}

function harmlessScores(model: Model, parameters: Float32Array, { rows, width, labels, features }: TrainingMatrix) {
  const scores = new Float32Array(rows)
  const block = new Float32Array(SCORED_ROWS * width)
  for (let from = 0; from < rows; from += SCORED_ROWS) {
    const count = Math.min(SCORED_ROWS, rows - from)
    features.read(from * width, block.subarray(0, count * width))
    scores.set(model.score(parameters, block, count), from)
  }
  return scores.filter((_, row) => labels[row] === 0)
}
