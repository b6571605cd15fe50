/** Rows on their way to the files of a data set. */

import { ROW_BYTES } from '../../telemetry/dataset.ts'

const BLOCK_ROWS = 8192

/** Features and records of the rows that are not yet in the files: several blocks when a batch of lines is large. */
export class Blocks {
  features: Float32Array
  records: DataView
  rows = 0
  private readonly width: number

  constructor(width: number) {
    this.width = width
    this.features = new Float32Array(BLOCK_ROWS * width)
    this.records = new DataView(new ArrayBuffer(BLOCK_ROWS * ROW_BYTES))
  }

  /** Room for one more row. */
  reserve(): void {
    if (this.rows < this.records.byteLength / ROW_BYTES) return
    const features = new Float32Array(this.features.length * 2)
    features.set(this.features)
    const records = new Uint8Array(this.records.byteLength * 2)
    records.set(new Uint8Array(this.records.buffer))
    this.features = features
    this.records = new DataView(records.buffer)
  }

  featureBytes(): Uint8Array {
    return new Uint8Array(this.features.buffer, 0, this.rows * this.width * 4)
  }

  recordBytes(): Uint8Array {
    return new Uint8Array(this.records.buffer, 0, this.rows * ROW_BYTES)
  }
}
