/** Settings of simulations, as tests start from them. */
import type { MappingSettings } from '../../workflows/capacity/mapping.ts'
import type { ServiceTimes } from '../../workflows/capacity/service-times.ts'
import type { SimulationSettings } from '../../workflows/capacity/simulation.ts'

/** A pipeline that takes no time, so that only waiting is seen. */
export const instantService: ServiceTimes = {
  fixedSeconds: 0,
  functionSecondsPerFile: 0,
  getSeconds: 0,
  databaseSecondsPerFile: 0,
  followUpSeconds: 0,
}

/** Five pollers in turn, batches of 100 and a window of 55 s, delivered at once; give what the test is about. */
export function simulationSettings(
  settings: Pick<SimulationSettings, 'arrivals'> & Partial<SimulationSettings>,
  mapping: Partial<MappingSettings> = {},
): SimulationSettings {
  return {
    seed: 1,
    mapping: {
      ...{ batchSize: 100, windowSeconds: 55, maximumConcurrency: 5, messageBytes: 1_700 },
      ...{ pollers: 5, receiveSeconds: 0, choice: 'in turn' },
      ...mapping,
    },
    service: instantService,
    ...{ cores: 2, deliverySeconds: 0, visibilityTimeoutSeconds: 415, failingShare: 0 },
    ...settings,
  }
}
