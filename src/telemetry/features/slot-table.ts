/**
 * What is remembered of each host, pair or service, in typed arrays: an eight-way set-associative table that doubles
 * until `slotsMax` and from then on forgets the entry of a set that was used longest ago. So memory is bounded whatever
 * addresses an adversary invents, and the same input gives the same state. Keys are 64-bit hashes.
 */

import { release } from '../../base/release.ts'

const WAYS = 8

export class SlotTable {
  /** `fields` numbers a slot; slot k begins at k * fields. */
  values: Float64Array
  readonly fields: number
  /** Grows with every claim that moves slots: positions found before it are stale. */
  generation = 0
  private readonly slotsMax: number
  private sets: number
  private first: Uint32Array
  private second: Uint32Array
  private used: Float64Array
  private clock = 0

  constructor(fields: number, slotsMax: number, slots = 1024) {
    this.fields = fields
    this.slotsMax = slotsMax
    this.sets = Math.min(slots, slotsMax) / WAYS
    this.first = new Uint32Array(this.sets * WAYS)
    this.second = new Uint32Array(this.sets * WAYS)
    this.used = new Float64Array(this.sets * WAYS)
    this.values = new Float64Array(this.sets * WAYS * fields)
  }

  /** Start of the slot's fields in `values`, or -1. */
  find(h1: number, h2: number): number {
    const base = (h1 & (this.sets - 1)) * WAYS
    for (let k = base; k < base + WAYS; k++) {
      if (this.first[k] === h1 && this.second[k] === h2 && (this.used[k] as number) > 0) return k * this.fields
    }
    return -1
  }

  /** Marks a found slot as just used. */
  touch(at: number): void {
    this.used[at / this.fields] = ++this.clock
  }

  /** A slot for a key that `find` did not find, its fields zero. */
  claim(h1: number, h2: number): number {
    for (;;) {
      const base = (h1 & (this.sets - 1)) * WAYS
      let victim = base
      for (let k = base; k < base + WAYS; k++) if ((this.used[k] as number) < (this.used[victim] as number)) victim = k
      if (this.used[victim] === 0 || this.sets * WAYS >= this.slotsMax) return this.occupy(victim, h1, h2)
      this.grow()
    }
  }

  private occupy(slot: number, h1: number, h2: number): number {
    if (this.used[slot] !== 0) this.generation++
    this.first[slot] = h1
    this.second[slot] = h2
    this.used[slot] = ++this.clock
    const at = slot * this.fields
    this.values.fill(0, at, at + this.fields)
    return at
  }

  private grow(): void {
    const { first, second, used, values, fields } = this
    this.sets *= 2
    this.generation++
    this.first = new Uint32Array(this.sets * WAYS)
    this.second = new Uint32Array(this.sets * WAYS)
    this.used = new Float64Array(this.sets * WAYS)
    this.values = new Float64Array(this.sets * WAYS * fields)
    for (let k = 0; k < used.length; k++) {
      if (used[k] === 0) continue
      // A set's eight entries spread over two sets, so there is always a free way.
      let slot = ((first[k] as number) & (this.sets - 1)) * WAYS
      while (this.used[slot] !== 0) slot++
      this.first[slot] = first[k] as number
      this.second[slot] = second[k] as number
      this.used[slot] = used[k] as number
      this.values.set(values.subarray(k * fields, (k + 1) * fields), slot * fields)
    }
    release(first, second, used, values)
  }

  /** Gives the memory back; nothing may be asked afterwards. */
  release(): void {
    release(this.first, this.second, this.used, this.values)
  }
}

/** Two 32-bit lanes over a text (FNV-1a, then the finaliser of MurmurHash3); not for adversarial collision resistance. */
export function textHash(text: string, seed: number): number {
  let h = 0x811c9dc5 ^ seed
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return mix(h ^ text.length)
}

/** Finaliser of MurmurHash3. */
export function mix(h: number): number {
  let x = h
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}
