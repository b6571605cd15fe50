/** ONNX Runtime as an accelerator: an optional package of native code, loaded only when it is asked for. */

import type { InferenceSession, Tensor } from 'onnxruntime-node'
import { EntenteError, fail } from '../base/errors.ts'
import type { AcceleratedModel, Accelerator } from '../models/accelerator.ts'
import { exportOnnx } from '../models/formats/onnx/export.ts'
import type { Objective } from '../models/model.ts'

type Runtime = typeof import('onnxruntime-node')

/** One thread, so that scoring leaves the rest of the machine alone; only errors are logged. */
const SESSION: InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
}

/** @throws not-available where the package is missing or does not run on this machine */
export async function openAccelerator(
  load: () => Promise<Runtime> = () => import('onnxruntime-node'),
): Promise<Accelerator> {
  const runtime = await load().catch((cause: unknown) => {
    const advice = 'install the optional package onnxruntime-node, or score with the kernels'
    throw new EntenteError('not-available', `there is no accelerator on this machine: ${advice}`, { cause })
  })
  return {
    name: `ONNX Runtime ${runtime.env.versions.node ?? ''}`.trim(),
    async load(spec, parameters) {
      const file = exportOnnx({ spec, parameters, producerVersion: '', metadata: {} })
      return accelerated(runtime, await open(runtime, file))
    },
  }
}

async function open(runtime: Runtime, file: Uint8Array): Promise<InferenceSession> {
  try {
    return await runtime.InferenceSession.create(file, SESSION)
  } catch (cause) {
    throw new EntenteError('model-invalid', 'the accelerator does not take this model', { cause })
  }
}

const OUTPUTS: Readonly<Record<Objective, string>> = { supervised: 'score', link: 'surprise' }

function accelerated({ Tensor: OfRuntime }: Runtime, session: InferenceSession): AcceleratedModel {
  const [input] = session.inputMetadata
  const width = input?.isTensor === true ? Number(input.shape[1]) : Number.NaN
  return {
    async score(features, rows, objective = 'supervised') {
      const output = OUTPUTS[objective]
      if (!session.outputNames.includes(output)) fail('model-invalid', `the model has no output "${output}"`)
      if (features.length < rows * width)
        fail('wrong-shape', `${features.length} features are not ${rows} rows of ${width}`)
      if (rows === 0) return new Float32Array()
      const of = new OfRuntime('float32', features.subarray(0, rows * width), [rows, width])
      return logits((await session.run({ features: of }, [output]))[output])
    },
    close: () => session.release(),
  }
}

function logits(score: Tensor | undefined): Float32Array {
  return score?.data instanceof Float32Array ? score.data : fail('internal', 'the accelerator gave no scores')
}
