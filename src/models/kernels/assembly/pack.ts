// Copies of parts of a matrix in the order in which tiles read them. Strides are in elements.

/** `depth` rows of `width` columns of B as panels of 8 columns; columns beyond the edge become zero. */
export function packColumns(b: usize, rowStride: i32, columnStride: i32, depth: i32, width: i32, panels: usize): void {
  let to = panels
  for (let j = 0; j < width; j += 8) {
    const from = b + ((<usize>j * <usize>columnStride) << 2)
    if (columnStride == 1 && width - j >= 8) copyRows(from, rowStride, depth, to)
    else if (rowStride == 1 && width - j >= 8) turnColumns(from, columnStride, depth, to)
    else gather(from, rowStride, columnStride, depth, min(8, width - j), 8, to)
    to += <usize>depth << 5
  }
}

/** Bytes from one strip to the next: a line more than the strip, so that strips do not fall into the same cache sets. */
// @ts-ignore: decorator
@inline
export function stripBytes(depth: i32): usize {
  return (<usize>depth << 4) + 64
}

/** `height` rows of A as strips of 4 interleaved rows: float t of element k of a strip is row t; rows beyond are zero. */
export function packRows(a: usize, rowStride: i32, columnStride: i32, height: i32, depth: i32, strips: usize): void {
  const whole = rowStride == 1 ? height & ~3 : 0
  const strip = stripBytes(depth)
  if (whole) {
    const columnBytes = <usize>columnStride << 2
    const end = <usize>whole << 2
    for (let k = 0; k < depth; k++) {
      const from = a + <usize>k * columnBytes
      let to = strips + (<usize>k << 4)
      for (let i: usize = 0; i < end; i += 16) {
        v128.store(to, v128.load(from + i))
        to += strip
      }
    }
  }
  for (let i = whole; i < height; i += 4) {
    const from = a + ((<usize>i * <usize>rowStride) << 2)
    gather(from, columnStride, rowStride, depth, min(4, height - i), 4, strips + <usize>(i >> 2) * strip)
  }
}

function copyRows(from: usize, rowStride: i32, depth: i32, to: usize): void {
  const rowBytes = <usize>rowStride << 2
  for (let k = 0; k < depth; k++) {
    v128.store(to, v128.load(from))
    v128.store(to, v128.load(from, 16), 16)
    to += 32
    from += rowBytes
  }
}

/** Eight columns that lie contiguous, four elements at a time. */
function turnColumns(from: usize, columnStride: i32, depth: i32, to: usize): void {
  const columnBytes = <usize>columnStride << 2
  const whole = depth & ~3
  for (let k = 0; k < whole; k += 4) {
    turn(from, columnBytes, to)
    turn(from + 4 * columnBytes, columnBytes, to + 16)
    from += 16
    to += 128
  }
  gather(from, 1, columnStride, depth - whole, 8, 8, to)
}

/** Four columns of four elements, transposed into rows 32 bytes apart. */
// @ts-ignore: decorator
@inline
function turn(from: usize, columnBytes: usize, to: usize): void {
  const a = v128.load(from), b = v128.load(from + columnBytes)
  const c = v128.load(from + 2 * columnBytes), d = v128.load(from + 3 * columnBytes)
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5), AB = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5), CD = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
  v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2))
  v128.store(to, v128.shuffle<i64>(ab, cd, 1, 3), 32)
  v128.store(to, v128.shuffle<i64>(AB, CD, 0, 2), 64)
  v128.store(to, v128.shuffle<i64>(AB, CD, 1, 3), 96)
}

/** The general case: `width` of `lanes` values a row, the rest zero. */
function gather(from: usize, rowStride: i32, laneStride: i32, depth: i32, width: i32, lanes: i32, to: usize): void {
  const rowBytes = <usize>rowStride << 2
  const laneBytes = <usize>laneStride << 2
  for (let k = 0; k < depth; k++) {
    for (let t = 0; t < lanes; t++) {
      store<f32>(to, t < width ? load<f32>(from + <usize>t * laneBytes) : 0)
      to += 4
    }
    from += rowBytes
  }
}
