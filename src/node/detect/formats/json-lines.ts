/** Detections in the program's own words. */

import type { Interaction } from '../../../telemetry/interaction.ts'
import { attackTechnique, type DetectionContext, type Detection, isoTime, messageOf } from '../detection.ts'

const endpoint = (address: string, port: number | undefined) => ({ address, ...(port === undefined ? {} : { port }) })

/** The ends and what is known of the contact; absent where the log does not say. */
function contactOf(interaction: Interaction) {
  const { source, destination, sourcePort, destinationPort, kind, protocol, service } = interaction
  const { durationSeconds, sourceBytes, destinationBytes, connectionState, user, detail } = interaction
  return {
    time: isoTime(interaction.time),
    kind,
    source: endpoint(source, sourcePort),
    destination: endpoint(destination, destinationPort),
    // JSON.stringify leaves out what is undefined.
    protocol,
    service,
    durationSeconds,
    sourceBytes,
    destinationBytes,
    connectionState,
    user,
    detail,
  }
}

export function jsonDetection(detection: Detection, { modelDigest }: DetectionContext) {
  const { id, interaction, direction, log, line, score, threshold, alert, alertsPerDay, explanation } = detection
  const { label = null, technique = null } = interaction
  return {
    format: 'entente-detection-1',
    id,
    alert,
    score,
    threshold,
    alertsPerDay,
    message: messageOf(detection),
    ...contactOf(interaction),
    direction,
    technique: attackTechnique(interaction),
    log: { name: log, line, label, technique },
    explanation:
      explanation === null
        ? null
        : {
            ...explanation,
            past: explanation.past.map(({ relation, secondsBefore, share, interaction: past }) => ({
              relation,
              secondsBefore,
              share,
              ...contactOf(past),
            })),
          },
    model: modelDigest,
  }
}
