/** A template with what capacity depends on, and nothing else. */
import type { Template } from '../../workflows/bill/template.ts'
import type { StageSettings } from '../../workflows/capacity/stage-settings.ts'

/** What `prod` has. */
export const prodSettings: StageSettings = {
  ...{ batchSize: 100, windowSeconds: 55, ingestConcurrency: 5, ingestTimeoutSeconds: 60, memoryMegabytes: 1_769 },
  ...{ visibilityTimeoutSeconds: 415, reservedConcurrency: 29, instanceType: 't4g.medium', maxUnits: undefined },
  transformIntervalMinutes: 60,
  rawRetentionDays: 90,
}

export function stageTemplate(settings: StageSettings): Template {
  const mapping = (queue: string, MaximumConcurrency: number) => ({
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: {
      EventSourceArn: { 'Fn::GetAtt': [queue, 'Arn'] },
      ...{ BatchSize: settings.batchSize, MaximumBatchingWindowInSeconds: settings.windowSeconds },
      ScalingConfig: { MaximumConcurrency },
    },
  })
  const queue = (QueueName: string) => ({
    Type: 'AWS::SQS::Queue',
    Properties: { QueueName, VisibilityTimeout: settings.visibilityTimeoutSeconds },
  })
  const instance = (PromotionTier: number, DBInstanceClass: string) => ({
    Type: 'AWS::RDS::DBInstance',
    Properties: { DBInstanceClass, PromotionTier },
  })
  return {
    Resources: {
      // Whatever is read of the wrong one shows.
      Replay: queue('sluice-prod-replay'),
      ReplayMapping: mapping('Replay', 2),
      Reader: instance(2, 'db.r6g.large'),
      Writer: instance(0, `db.${settings.instanceType}`),
      Cluster: {
        Type: 'AWS::RDS::DBCluster',
        Properties: {
          ...(settings.maxUnits !== undefined && {
            ServerlessV2ScalingConfiguration: { MinCapacity: 0, MaxCapacity: settings.maxUnits },
          }),
        },
      },
      Queue: queue('sluice-prod-ingest'),
      Mapping: mapping('Queue', settings.ingestConcurrency),
      Other: { Type: 'AWS::Lambda::Function', Properties: { Timeout: 9, ReservedConcurrentExecutions: 22 } },
      Ingest: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          FunctionName: 'sluice-prod-ingest',
          ...{ Timeout: settings.ingestTimeoutSeconds, MemorySize: settings.memoryMegabytes },
          ReservedConcurrentExecutions: settings.reservedConcurrency - 22,
          Environment: { Variables: { TRANSFORM_INTERVAL_MINUTES: String(settings.transformIntervalMinutes) } },
        },
      },
    },
  }
}
