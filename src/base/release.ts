/**
 * Gives the memory of typed arrays back at once; they have no elements afterwards. A collector sees the few bytes of their
 * objects and not the megabytes behind, and may leave them for minutes; and what comes next, given 64 KiB after 64 KiB, falls out of
 * the cache instead of into the same memory (a keystream was measured to be 2.5 times slower).
 */
export function release(...arrays: readonly ArrayBufferView[]): void {
  for (const { buffer, byteLength } of arrays) {
    // What shares its memory with others is not the array's own.
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
  }
}
