/** The discrete Fourier transform, for convolving loss distributions. */

import { fail } from '../../base/errors.ts'

export interface Spectrum {
  readonly real: Float64Array
  readonly imaginary: Float64Array
}

const tables = new Map<number, Spectrum>()

/** e^(-2 pi i k / n) for k < n / 2. */
function rootsOf(n: number): Spectrum {
  const known = tables.get(n)
  if (known !== undefined) return known
  const angle = (_: number, k: number): number => (-2 * Math.PI * k) / n
  const angles = new Float64Array(n / 2).map(angle)
  const roots = { real: angles.map(Math.cos), imaginary: angles.map(Math.sin) }
  tables.set(n, roots)
  return roots
}

/** In place, decimation in frequency and then bit reversal; the length is a power of two. */
export function transform({ real, imaginary }: Spectrum): void {
  const n = real.length
  if (n < 2 || (n & (n - 1)) !== 0 || imaginary.length !== n) fail('internal', `no transform of length ${n}`)
  const roots = rootsOf(n)
  for (let half = n / 2; half >= 1; half /= 2) stage(real, imaginary, roots, half)
  reverseBits(real, imaginary)
}

function stage(real: Float64Array, imaginary: Float64Array, roots: Spectrum, half: number): void {
  const n = real.length
  const stride = n / (2 * half)
  const { real: cosines, imaginary: sines } = roots
  for (let start = 0; start < n; start += 2 * half)
    for (let k = 0; k < half; k++) {
      const a = start + k
      const b = a + half
      const ra = real[a] as number
      const ia = imaginary[a] as number
      const rd = ra - (real[b] as number)
      const id = ia - (imaginary[b] as number)
      const c = cosines[k * stride] as number
      const s = sines[k * stride] as number
      real[a] = 2 * ra - rd
      imaginary[a] = 2 * ia - id
      real[b] = rd * c - id * s
      imaginary[b] = rd * s + id * c
    }
}

function reverseBits(real: Float64Array, imaginary: Float64Array): void {
  const n = real.length
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i >= j) continue
    const r = real[i] as number
    const m = imaginary[i] as number
    real[i] = real[j] as number
    imaginary[i] = imaginary[j] as number
    real[j] = r
    imaginary[j] = m
  }
}

/** The inverse: conjugate, transform, conjugate, divide by n. */
export function inverse({ real, imaginary }: Spectrum): void {
  transform({ real: imaginary, imaginary: real })
  const n = real.length
  for (let i = 0; i < n; i++) {
    real[i] = (real[i] as number) / n
    imaginary[i] = (imaginary[i] as number) / n
  }
}
