/** The rounds that are measured. */

import type { Setting } from './round.ts'

export const SETTINGS = {
  '100-100k': { name: 'n=100 d=100k, no dropout, all shares', organisations: 100, parameters: 100_000, dropouts: 0 },
  '100-1m': {
    name: 'n=100 d=1M, 10 % dropout, 21 shares, threshold 11, a ring (Flower’s setting, which this policy would not take)',
    organisations: 100,
    parameters: 1_000_000,
    dropouts: 10,
    shape: { neighbours: 20, threshold: 11, ring: true },
  },
  '100-1m-own': {
    name: 'n=100 d=1M, 10 % dropout, as the policy has it: complete graph',
    organisations: 100,
    parameters: 1_000_000,
    dropouts: 10,
  },
  '1000-100k': {
    name: 'n=1000 d=100k, 10 % dropout, k computed',
    organisations: 1000,
    parameters: 100_000,
    dropouts: 100,
  },
} as const satisfies Readonly<Record<string, Setting>>
