/** The kernels of assembly/policy.ts. Pointers are byte offsets into the kernels' memory; lengths count elements. */

import type { KernelExports } from '../kernels/exports.ts'
import type { Kernels } from '../kernels/kernels.ts'

export interface PolicyExports {
  maskedSoftmax(logits: number, masks: number, out: number, rows: number, columns: number): void
  maskedSample(
    logits: number,
    masks: number,
    uniforms: number,
    actions: number,
    logs: number,
    rows: number,
    columns: number,
  ): void
  clippedSurrogate(
    logits: number,
    masks: number,
    actions: number,
    oldLogs: number,
    advantages: number,
    gradient: number,
    rows: number,
    columns: number,
    clip: number,
    entropyWeight: number,
    scale: number,
    stats: number,
  ): void
  squaredError(values: number, targets: number, gradient: number, n: number, scale: number): number
  logOf(x: number): number
}

export const policyKernels = ({ raw }: Kernels): KernelExports & PolicyExports => raw as KernelExports & PolicyExports
