/** The four ways into a node's directory: make a hub, join a hub, run either. The servers are brought by the caller. */

export { initHub } from './start/init-hub.ts'
export { joinFederation } from './start/join-federation.ts'
export type { RunningNode } from './start/lifecycle.ts'
export { type HubStart, startHub } from './start/start-hub.ts'
export { startOrganisation } from './start/start-organisation.ts'
