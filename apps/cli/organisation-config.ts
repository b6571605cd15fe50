import { fail } from '../../src/base/errors.ts'
import { type OrganisationConfig, readConfig } from '../../src/node/config.ts'

/** @throws config-invalid for the directory of a hub */
export async function organisationConfig(directory: string): Promise<OrganisationConfig> {
  const config = await readConfig(directory)
  return config.role === 'organisation'
    ? config
    : fail('config-invalid', `${directory} is the directory of a hub; give --dir the directory of an organisation`)
}
