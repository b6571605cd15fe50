// Transposed copies of row-major matrices, in blocks of four by four.

// @ts-ignore: decorator
@inline
function block(x: usize, rowBytes: usize, out: usize, outBytes: usize): void {
  const a = v128.load(x), b = v128.load(x + rowBytes)
  const c = v128.load(x + 2 * rowBytes), d = v128.load(x + 3 * rowBytes)
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5), AB = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5), CD = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
  v128.store(out, v128.shuffle<i64>(ab, cd, 0, 2))
  v128.store(out + outBytes, v128.shuffle<i64>(ab, cd, 1, 3))
  v128.store(out + 2 * outBytes, v128.shuffle<i64>(AB, CD, 0, 2))
  v128.store(out + 3 * outBytes, v128.shuffle<i64>(AB, CD, 1, 3))
}

/** out[b][c][r] = x[b][r][c] for `batches` matrices one after the other; `out` is not `x`. */
export function transpose(x: usize, out: usize, batches: i32, rows: i32, columns: i32): void {
  const rowBytes = <usize>columns << 2
  const outBytes = <usize>rows << 2
  const rowsEnd = rows & ~3
  const columnsEnd = columns & ~3
  for (let b = 0; b < batches; b++) {
    const from = x + <usize>b * <usize>rows * rowBytes
    const to = out + <usize>b * <usize>rows * rowBytes
    for (let r = 0; r < rowsEnd; r += 4)
      for (let c = 0; c < columnsEnd; c += 4)
        block(from + <usize>r * rowBytes + (<usize>c << 2), rowBytes, to + <usize>c * outBytes + (<usize>r << 2), outBytes)
    for (let r = 0; r < rows; r++)
      for (let c = r < rowsEnd ? columnsEnd : 0; c < columns; c++)
        store<f32>(to + <usize>c * outBytes + (<usize>r << 2), load<f32>(from + <usize>r * rowBytes + (<usize>c << 2)))
  }
}
