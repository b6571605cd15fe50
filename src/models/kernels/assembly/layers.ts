// Row-wise parts of a dense layer; matrices are row-major, `rows` by `columns`.

/** x[r][c] += bias[c], then max(0, .) when `relu` is not 0. A NaN stays a NaN, so that divergence is seen. */
export function biasRelu(x: usize, bias: usize, rows: i32, columns: i32, relu: i32): void {
  const zero = f32x4.splat(0)
  const bytes = <usize>columns << 2
  const vectorBytes = <usize>(columns & ~3) << 2
  for (let r = 0; r < rows; r++) {
    const row = x + <usize>r * bytes
    let c: usize = 0
    for (; c < vectorBytes; c += 16) {
      let v = f32x4.add(v128.load(row + c), v128.load(bias + c))
      if (relu) v = f32x4.max(v, zero)
      v128.store(row + c, v)
    }
    for (; c < bytes; c += 4) {
      let v = load<f32>(row + c) + load<f32>(bias + c)
      if (relu) v = max<f32>(v, 0)
      store<f32>(row + c, v)
    }
  }
}

/** g[r][c] = 0 where the activation h[r][c] is not positive. */
export function reluBackward(g: usize, h: usize, n: i32): void {
  const zero = f32x4.splat(0)
  const bytes = <usize>n << 2
  const vectorBytes = <usize>(n & ~3) << 2
  let i: usize = 0
  for (; i < vectorBytes; i += 16) v128.store(g + i, v128.and(v128.load(g + i), f32x4.gt(v128.load(h + i), zero)))
  for (; i < bytes; i += 4) if (!(load<f32>(h + i) > 0)) store<f32>(g + i, 0)
}

/** out[c] = sum over rows of x[r][c], rows in order. */
export function columnSums(x: usize, out: usize, rows: i32, columns: i32): void {
  const bytes = <usize>columns << 2
  const vectorBytes = <usize>(columns & ~3) << 2
  memory.fill(out, 0, bytes)
  for (let r = 0; r < rows; r++) {
    const row = x + <usize>r * bytes
    let c: usize = 0
    for (; c < vectorBytes; c += 16) v128.store(out + c, f32x4.add(v128.load(out + c), v128.load(row + c)))
    for (; c < bytes; c += 4) store<f32>(out + c, load<f32>(out + c) + load<f32>(row + c))
  }
}
