/** Public temporal graphs as streams of links in time order: UCI messages (KONECT) and Bitcoin trust (SNAP). */

import { readLines } from '../../../src/node/ingest/lines.ts'

export interface LinkEvent {
  /** Seconds since the epoch, whole. */
  readonly time: number
  readonly source: number
  readonly destination: number
}

/** `source destination weight time`, separated by blanks or commas; lines that begin with % are headings. */
export async function readEvents(path: string): Promise<LinkEvent[]> {
  const events: LinkEvent[] = []
  for await (const { lines } of readLines(path))
    for (const line of lines) {
      if (line === '' || line.startsWith('%')) continue
      const [source = Number.NaN, destination = Number.NaN, , time = Number.NaN] = line.split(/[ ,\t]+/).map(Number)
      if (Number.isFinite(source + destination + time)) events.push({ time: Math.floor(time), source, destination })
    }
  return events.sort((a, b) => a.time - b.time)
}

export const TRAIN_SHARE = 0.7
export const TEST_SHARE = 0.85
/** At the very beginning, when hardly any edge is known, the first ones of the future stand in. */
const EDGES_MIN = 100

export interface NegativeSampler {
  /** A pair of the training part that was in contact before, and is not at this moment. */
  historical(event: LinkEvent): LinkEvent
  /** The same source, and any destination. */
  random(event: LinkEvent): LinkEvent
}

/**
 * Poursafaei et al. 2022, section 4: a historical negative is an edge of the training part that does not occur at the
 * present time; events must come in time order. A random one has the source of the positive and a destination at random.
 */
export function negativeSampler(
  events: readonly LinkEvent[],
  history: readonly LinkEvent[],
  below: (bound: number) => number,
): NegativeSampler {
  // In the order in which they first appeared, so that those known at any time come first.
  const first = new Map<string, LinkEvent>()
  for (const event of history) if (!first.has(keyOf(event))) first.set(keyOf(event), event)
  const edges = [...first.values()]
  let known = 0
  const destinations = [...new Set(events.map(({ destination }) => destination))]
  const present = new Map<number, Set<string>>()
  for (const event of events) present.set(event.time, (present.get(event.time) ?? new Set()).add(keyOf(event)))
  const isPresent = (event: LinkEvent): boolean => present.get(event.time)?.has(keyOf(event)) === true

  function drawn(event: LinkEvent, draw: () => LinkEvent): LinkEvent {
    for (;;) {
      const negative = { ...draw(), time: event.time }
      if (!isPresent(negative)) return negative
    }
  }

  return {
    historical(event) {
      while ((edges[known]?.time ?? Infinity) < event.time) known++
      return drawn(event, () => edges[below(Math.max(known, EDGES_MIN))] ?? event)
    },
    random: (event) =>
      drawn(event, () => ({ ...event, destination: destinations[below(destinations.length)] ?? event.destination })),
  }
}

function keyOf({ source, destination }: LinkEvent): string {
  return `${source} ${destination}`
}

/** Candidates of one event, the real one first. */
export interface Question {
  readonly event: LinkEvent
  readonly negatives: readonly LinkEvent[]
}

/**
 * Asks the questions and learns the events, in time order: everything that is asked of a moment is asked before anything
 * of that moment is learnt, as no order among events of one second is known.
 */
export function walk(
  events: readonly LinkEvent[],
  questions: readonly Question[],
  ask: (candidate: LinkEvent) => void,
  learn: (event: LinkEvent) => void,
): void {
  let [next, learnt] = [0, 0]
  for (let at = 0; at < events.length; at = learnt) {
    const time = events[at]?.time ?? 0
    for (; questions[next]?.event.time === time; next++) {
      const { event, negatives } = questions[next] as Question
      for (const candidate of [event, ...negatives]) ask(candidate)
    }
    for (; learnt < events.length && events[learnt]?.time === time; learnt++) learn(events[learnt] as LinkEvent)
  }
}
