/**
 * Every kernel of the room. Strict SIMD only: relaxed instructions may round differently from machine to machine, and two
 * organisations must compute the same bits. Pointers are byte offsets into the imported memory, lengths count elements.
 */
export { accumulate, accumulate4, mean, weightedSum } from './aggregate'
export { finite } from './finite'
export { gemm, SCRATCH_BYTES } from './gemm'
export { biasRelu, columnSums, reluBackward } from './layers'
export { expOf, logisticLoss, softplusOf } from './logistic'
export { addFour32, addWords32, addWords64, roundWords32, subtractFour32, subtractWords32, subtractWords64 } from './masking'
export * from './mixer'
export * from './network'
export { clipNorm, squaredDistance, squaredNorm } from './norms'
export { adam, proximal, sgd } from './optimiser'
export { clippedSurrogate, logOf, maskedSample, maskedSoftmax, squaredError } from './policy'
export { addSteps } from './private'
export { addDoubles, distancesLength, distancesWork, pairDistances, spanDistances } from './distances'
export { sortedMean, tileMean, windowMean } from './robust'

/** First byte that the module itself does not use. */
export const MEMORY_BASE: usize = __heap_base
