/** What the shell needs of a server, so that the floor above can bring it: this room never imports an app. */

import type { Hub } from './hub.ts'
import type { Logger } from './logging.ts'
import type { OrganisationNode } from './organisation.ts'
import type { Authority, TlsMaterial } from './transport/tls.ts'

export interface Listen {
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
}

export interface ServedApi {
  readonly host: string
  readonly port: number
  /** Takes no further requests, ends long polls, waits for requests under way. */
  close(): Promise<void>
}

export interface ServeHubOptions {
  readonly listen: Listen
  readonly tls: TlsMaterial
  readonly authority: Authority
  readonly log: Logger
}

export interface ServeControlOptions {
  readonly listen: Listen
  readonly token: string
  readonly log: Logger
}

export type ServeHub = (hub: Hub, options: ServeHubOptions) => Promise<ServedApi>
export type ServeControl = (node: OrganisationNode, options: ServeControlOptions) => Promise<ServedApi>
