/** Rules that treat each coordinate by itself: Yin, Chen, Ramchandran, Bartlett 2018, definitions 1 and 2. */

import { indices, type RobustRule } from '../rule.ts'

/** The middle value of each coordinate; the mean of the two in the middle of an even number. */
export const median: RobustRule = {
  name: 'median',
  usesDistances: false,
  combine: ({ count }) => ({
    kind: 'coordinates',
    points: indices(count),
    statistic: { name: 'sorted-mean', from: (count - 1) >> 1, to: (count >> 1) + 1 },
  }),
}

/** The mean of each coordinate without its f smallest and f largest values. */
export const trimmedMean: RobustRule = {
  name: 'trimmed-mean',
  usesDistances: false,
  combine: ({ count, f }) => ({
    kind: 'coordinates',
    points: indices(count),
    statistic: { name: 'sorted-mean', from: f, to: count - f },
  }),
}
