/** The registry's state, as every request reads it afresh: nothing about membership is remembered in memory. */

import { registryMachine } from '../../registry/machine.ts'
import type { RegistryState } from '../../registry/state.ts'
import type { Drive } from '../drive.ts'

export const REGISTRY_STREAM = 'registry'

export async function registryState(drive: Drive): Promise<RegistryState> {
  return ((await drive.read(REGISTRY_STREAM)) as RegistryState | undefined) ?? registryMachine.initial(REGISTRY_STREAM)
}
