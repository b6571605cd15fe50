/** Kernels of neural networks; ../network-exports.ts gives them types. */
export { gelu, geluBackward, sigmoidBackward, sigmoidOf, tanhBackward, tanhOf } from './activations'
export { addOf, axpy, multiplyOf, scale } from './arithmetic'
export { layerNorm, layerNormBackward } from './normalise'
export { gruCell, gruCellBackward } from './recurrent'
export { gatherRows, inverseCounts, segmentMean, segmentSum, segmentWeightedSum, transposeCsr } from './segments'
export { softmax, softmaxBackward } from './softmax'
export { timeEncoding } from './time-encoding'
export { transpose } from './transpose'
