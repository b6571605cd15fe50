/**
 * A state machine whose only inputs are its events. Time, seeds and whatever arrived are data inside the event, so the
 * event log replays to the same state, bit for bit.
 */

/** A fact that the same transaction stores beside the state, for readers: `records(collection, key) -> value`. */
export interface RecordWrite {
  readonly collection: string
  readonly key: string
  readonly value: unknown
}

export interface Step<State, Effect> {
  readonly state: State
  /** Carried out after the transaction, at least once, each under the id `stream/seq/n`. */
  readonly effects: readonly Effect[]
  readonly records?: readonly RecordWrite[]
  /**
   * The contents of the stream's events are of no further use and are removed, in the same transaction; that they
   * happened stays. For events that held secrets, or much that nobody needs again.
   */
  readonly forget?: true
}

export interface Machine<State, Event, Effect> {
  /** Kind of stream: the part of a stream id before the first `/`. */
  readonly kind: string
  /** The state before the first event. */
  initial(streamId: string): State
  /** @throws EntenteError to refuse the event; then nothing is stored. */
  step(state: State, event: Event): Step<State, Effect>
}

/**
 * Effects that `drive` carries out itself. `after` is a timer: the event is dispatched to its own stream at `at`
 * (milliseconds since the epoch). `dispatch` hands an event to another stream of the same node.
 */
export type DriveEffect =
  | { readonly type: 'after'; readonly at: number; readonly event: unknown }
  | { readonly type: 'dispatch'; readonly stream: string; readonly event: unknown }
