// Sums mod 2^32 and 2^64 of masked integers: integer SIMD wraps by itself. Lengths are bytes, multiples of the integer.

/** sum[i] += x[i] mod 2^32. */
export function addWords32(sum: usize, x: usize, bytes: usize): void {
  const vectors = bytes & ~31
  for (let i: usize = 0; i < vectors; i += 32) {
    v128.store(sum + i, i32x4.add(v128.load(sum + i), v128.load(x + i)))
    v128.store(sum + i, i32x4.add(v128.load(sum + i, 16), v128.load(x + i, 16)), 16)
  }
  for (let i = vectors; i < bytes; i += 4) store<u32>(sum + i, load<u32>(sum + i) + load<u32>(x + i))
}

/** sum[i] -= x[i] mod 2^32. */
export function subtractWords32(sum: usize, x: usize, bytes: usize): void {
  const vectors = bytes & ~31
  for (let i: usize = 0; i < vectors; i += 32) {
    v128.store(sum + i, i32x4.sub(v128.load(sum + i), v128.load(x + i)))
    v128.store(sum + i, i32x4.sub(v128.load(sum + i, 16), v128.load(x + i, 16)), 16)
  }
  for (let i = vectors; i < bytes; i += 4) store<u32>(sum + i, load<u32>(sum + i) - load<u32>(x + i))
}

/** sum[i] += x[i] mod 2^64. */
export function addWords64(sum: usize, x: usize, bytes: usize): void {
  const vectors = bytes & ~15
  for (let i: usize = 0; i < vectors; i += 16)
    v128.store(sum + i, i64x2.add(v128.load(sum + i), v128.load(x + i)))
  if (vectors < bytes) store<u64>(sum + vectors, load<u64>(sum + vectors) + load<u64>(x + vectors))
}

/** sum[i] -= x[i] mod 2^64. */
export function subtractWords64(sum: usize, x: usize, bytes: usize): void {
  const vectors = bytes & ~15
  for (let i: usize = 0; i < vectors; i += 16)
    v128.store(sum + i, i64x2.sub(v128.load(sum + i), v128.load(x + i)))
  if (vectors < bytes) store<u64>(sum + vectors, load<u64>(sum + vectors) - load<u64>(x + vectors))
}
