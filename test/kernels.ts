/** The built kernels, for tests of rooms that may not read files themselves. */

export { loadKernels } from '../src/node/kernels.ts'
