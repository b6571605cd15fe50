/**
 * Products of powers. Exponents here are public: weights of a proof that everybody can compute, interpolation coefficients.
 */

const WEIGHT_BITS = 128

/**
 * prod_j base_j^exponent_j for exponents of 128 bits: buckets (Pippenger 1976). Each window sorts the bases by their
 * digit; a running product over the buckets raises each to its digit.
 */
export function weightedProduct(bases: readonly bigint[], exponents: readonly bigint[], modulus: bigint): bigint {
  // Buckets cost more than they save.
  if (bases.length < 24) return jointPower(bases, exponents, modulus)
  const width = bases.length < 64 ? 4 : Math.min(12, Math.max(4, Math.floor(Math.log2(bases.length)) - 3))
  const size = 1 << width
  let result = 1n
  for (let shift = Math.ceil(WEIGHT_BITS / width) * width - width; shift >= 0; shift -= width) {
    for (let i = 0; i < width && result !== 1n; i++) result = (result * result) % modulus
    const buckets = new Array<bigint | undefined>(size)
    bases.forEach((base, j) => {
      const digit = Number(((exponents[j] ?? 0n) >> BigInt(shift)) & BigInt(size - 1))
      const before = buckets[digit]
      if (digit > 0) buckets[digit] = before === undefined ? base : (before * base) % modulus
    })
    result = (result * bucketProduct(buckets, modulus)) % modulus
  }
  return result
}

/** prod_d bucket_d^d with two products a bucket. */
function bucketProduct(buckets: readonly (bigint | undefined)[], modulus: bigint): bigint {
  let running = 1n
  let total = 1n
  for (let digit = buckets.length - 1; digit > 0; digit--) {
    const bucket = buckets[digit]
    if (bucket !== undefined) running = (running * bucket) % modulus
    if (running !== 1n) total = (total * running) % modulus
  }
  return total
}

/** prod_i base_i^exponent_i for a few small exponents, with one chain of squarings (Straus 1964). */
export function jointPower(bases: readonly bigint[], exponents: readonly bigint[], modulus: bigint): bigint {
  const bits = Math.max(0, ...exponents.map((exponent) => exponent.toString(2).length))
  let result = 1n
  for (let bit = BigInt(bits) - 1n; bit >= 0n; bit--) {
    if (result !== 1n) result = (result * result) % modulus
    bases.forEach((base, i) => {
      if ((((exponents[i] ?? 0n) >> bit) & 1n) === 1n) result = (result * base) % modulus
    })
  }
  return result
}
