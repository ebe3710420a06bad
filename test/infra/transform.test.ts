import { describe, expect, test } from 'vitest'
import { permissionsOf } from './permissions.ts'
import { at, type Resource, readable, stack } from './synthesized.ts'

const project = at('Transform/Project', 'AWS::CodeBuild::Project')
const { Environment, Source, Cache, Artifacts, ...properties } = project.properties

describe('the build of the transform', () => {
  test('has the dbt project for its source, with the buildspec in it', () => {
    expect(Source).toMatchObject({ Type: 'S3', BuildSpec: 'buildspec.yml' })
    expect(Source.Location).toMatch(/^cdk-hnb659fds-assets-.*\/[0-9a-f]{64}\.zip$/)
  })

  test('runs alone, in an image that is named', () => {
    expect(Environment.Image).toBe('aws/codebuild/amazonlinux-x86_64-standard:5.0')
    expect(properties.ConcurrentBuildLimit).toBe(1)
  })

  test('is given the credentials by reference, and plain facts besides', () => {
    const given = Environment.EnvironmentVariables.map(({ Name, Type, Value }: Resource['properties']) => [
      Name,
      Type === 'SECRETS_MANAGER' ? `secret ${readable(Value)}` : readable(Value),
    ])

    expect(Object.fromEntries(given)).toEqual({
      PGHOST: 'secret Database/TransformSecret:host',
      PGPORT: 'secret Database/TransformSecret:port',
      PGDATABASE: 'secret Database/TransformSecret:dbname',
      PGUSER: 'secret Database/TransformSecret:username',
      PGPASSWORD: 'secret Database/TransformSecret:password',
      PGSSLMODE: 'disable',
      SLUICE_STAGE: 'local',
      TRANSFORM_INTERVAL_MINUTES: '60',
      NOTICE_TOPIC_ARN: 'Notices/Topic',
    })
  })

  test('keeps its packages for the next, and what dbt says of the run', () => {
    expect([Cache.Type, readable(Cache.Location)]).toEqual(['S3', 'Transform/Builds/cache/transform'])
    expect(Artifacts).toMatchObject({ Type: 'S3', NamespaceType: 'BUILD_ID', Packaging: 'NONE', Path: 'transform' })
    expect(readable(Artifacts.Location)).toBe('Transform/Builds')
  })

  test('may read source and secret, use its bucket, write log and reports, and send a notice, nothing else', () => {
    const assets = `arn:aws:s3:::cdk-hnb659fds-assets-${stack.account}-${stack.region}`
    const log = `arn:aws:logs:${stack.region}:${stack.account}:log-group:/aws/codebuild/Transform/Project`
    const permissions = permissionsOf(readable(project.properties.ServiceRole))

    expect(Object.keys(permissions).sort()).toEqual(
      [
        ...[assets, `${assets}/${Source.Location.split('/')[1]}`, 'Database/TransformSecret', 'Notices/Topic'],
        ...['Transform/Builds', 'Transform/Builds/*', 'Transform/ProjectLog', log, `${log}:*`],
        `arn:aws:codebuild:${stack.region}:${stack.account}:report-group/Transform/Project-*`,
      ].sort(),
    )
    expect(permissions['Database/TransformSecret']).toEqual(['secretsmanager:GetSecretValue'])
    expect(permissions['Notices/Topic']).toEqual(['sns:Publish'])
  })
})
