/** Uniform integers from random bytes that come in as an argument, without bias and without floating point. */

/** Cryptographically secure bytes, as many as asked for. */
export type RandomBytes = (length: number) => Uint8Array

export interface UniformSource {
  /** Uniform in [0, 2^32). */
  u32(): number
  /** Uniform in [0, bound), by rejection. */
  below(bound: bigint): bigint
  /** Overwrites what was drawn and not used: it would tell about later noise. */
  wipe(): void
}

const BYTES_AT_ONCE = 1 << 16

/** Draws in blocks, so that small draws cost no call each; the first block is small. */
export function uniformSource(random: RandomBytes, bytesAtFirst = 256): UniformSource {
  let block = new Uint8Array(0)
  let words = new Uint32Array(0)
  let at = 0
  let next = bytesAtFirst

  function refill(): void {
    block.fill(0)
    // Copied: the caller's bytes may be a view into memory of its own, and must be aligned.
    block = Uint8Array.from(random(next))
    words = new Uint32Array(block.buffer)
    next = BYTES_AT_ONCE
    at = 0
  }

  function u32(): number {
    if (at === words.length) refill()
    return words[at++] as number
  }

  function below(bound: bigint): bigint {
    const bits = (bound - 1n).toString(2).length
    for (;;) {
      let drawn = 0n
      for (let have = 0; have < bits; have += 32) drawn = (drawn << 32n) | BigInt(u32())
      const excess = BigInt((32 - (bits % 32)) % 32)
      drawn >>= excess
      if (drawn < bound) return drawn
    }
  }

  return {
    u32,
    below,
    wipe() {
      block.fill(0)
      at = words.length
    },
  }
}
