import { schemeSuite } from '../scheme.suite.ts'
import { dealForTest, openForTest } from './fixtures.ts'

let dealings = 0
schemeSuite({
  name: 'threshold Paillier',
  levels: 32_767,
  // Another dealer's dice each time: two keys are never the same.
  deal: async (request) => dealForTest(request, `dealer ${dealings++}`),
  open: async (parameters) => openForTest(parameters),
})
