/** Rooms and floors. A file imports from lower floors only; inside a room it is free. */

export interface Room {
  readonly name: string
  /** Folder, with a closing slash. */
  readonly folder: string
  /** Undefined for what stands beside the house and is not imported by it. */
  readonly floor: number | undefined
  /** Whether its files may read clocks, draw randomness and do I/O. */
  readonly pure: boolean
}

const src = (floor: number, ...names: string[]): Room[] =>
  names.map((name) => ({ name, folder: `src/${name}/`, floor, pure: floor <= 3 }))

const app = (name: string): Room => ({ name: `apps/${name}`, folder: `apps/${name}/`, floor: 5, pure: false })

const beside = (name: string, pure = false): Room => ({ name, folder: `${name}/`, floor: undefined, pure })

export const ROOMS: readonly Room[] = [
  ...src(0, 'base'),
  ...src(1, 'registry', 'telemetry', 'models', 'privacy', 'ledger'),
  ...src(2, 'gateway'),
  ...src(3, 'learning', 'workflow', 'sharing', 'intelligence'),
  ...src(4, 'node'),
  app('api'),
  app('cli'),
  app('web'),
  beside('simulator'),
  beside('bench'),
  beside('test'),
  beside('scripts'),
]

/** What the floors are for: the right-hand column of the diagram. */
export const FLOOR_NOTES: Readonly<Record<number, string>> = {
  5: 'web speaks HTTP only',
  4: 'the only shell: Postgres, jobs, HTTPS, files, clock',
  3: 'what the federation does',
  2: 'authenticate',
  1: 'what it does it with',
  0: 'bytes, canonical JSON, ids, hash, signature, errors',
}

/** The room of a file, by its path relative to the root with `/` between folders. */
export function roomOf(path: string): Room | undefined {
  return ROOMS.find(({ folder }) => path.startsWith(folder))
}

/** Why `from` may not import `to`; undefined if it may. */
export function importProblem(from: Room, to: Room, isTest: boolean): string | undefined {
  if (from === to) return undefined
  if (isTest && to.name === 'test') return undefined
  if (from.name === 'apps/web') return `${from.name} speaks HTTP only, and may import no other room`
  if (from.floor === undefined) return besideProblem(from, to)
  if (to.floor === undefined) return `${to.name} stands beside the house: no room may import it`
  if (to.floor < from.floor) return undefined
  return to.floor === from.floor
    ? `${from.name} and ${to.name} are on floor ${from.floor}: no import sideways`
    : `${to.name} is on floor ${to.floor}, above ${from.name} on floor ${from.floor}: no import upward`
}

/** The simulator is built from the product's own parts, without its apps; benches and tests may use everything. */
function besideProblem(from: Room, to: Room): string | undefined {
  if (from.name === 'simulator') {
    const allowed = to.floor !== undefined && to.floor <= 4
    return allowed ? undefined : `the simulator imports floors 0 to 4 only, not ${to.name}`
  }
  if (from.name === 'scripts') return `scripts stand alone: they may not import ${to.name}`
  return undefined
}
