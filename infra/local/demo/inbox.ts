/** Listens to what the stage tells people, as their mailbox does on AWS: a queue that is subscribed to both topics. */
import { ListTopicsCommand, SubscribeCommand } from '@aws-sdk/client-sns'
import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { z } from 'zod'
import type { Deployment } from './deployment.ts'

/** What SNS sends. */
const notice = z.object({ Subject: z.string().optional(), Message: z.string() })
export type Notice = z.infer<typeof notice>

/** What has come since the last look. */
export type Inbox = () => Promise<Notice[]>

const alarmNotice = z.object({ AlarmName: z.string(), NewStateValue: z.string(), AlarmDescription: z.string() })
const executionNotice = z.object({ detail: z.object({ name: z.string(), status: z.string() }) })

/** Subscribes a queue of this name. Without it nobody would be told on the laptop, and `sluice status` says so. */
export async function openInbox({ sns, sqs }: Deployment, queueName: string): Promise<Inbox> {
  const { Topics = [] } = await sns.send(new ListTopicsCommand())
  const arns = Topics.flatMap(({ TopicArn = '' }) =>
    /:sluice-local-(pages|notices)$/.test(TopicArn) ? [TopicArn] : [],
  )
  const endpoint = arns[0]?.replace(':sns:', ':sqs:').replace(/[^:]*$/, queueName) ?? ''
  const allow = { Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage' }
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ ...allow, Resource: endpoint }] })
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: queueName, Attributes: { Policy } }))
  for (const TopicArn of arns) await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: endpoint }))

  return async () => {
    const notices: Notice[] = []
    while (true) {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))
      if (Messages.length === 0) return notices
      for (const { Body = '', ReceiptHandle } of Messages) {
        notices.push(notice.parse(JSON.parse(Body)))
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
      }
    }
  }
}

/** A line for people: of an alarm its text, of an execution its name and end, else its subject. */
export function describeNotice({ Subject, Message }: Notice): string {
  const content = parsed(Message)
  const alarm = alarmNotice.safeParse(content)
  if (alarm.success) {
    const { AlarmName, NewStateValue, AlarmDescription } = alarm.data
    return NewStateValue === 'ALARM' ? `alarm ${AlarmName}: ${AlarmDescription}` : `alarm ${AlarmName} is over`
  }
  const execution = executionNotice.safeParse(content)
  if (execution.success) return `execution ${execution.data.detail.name} ${execution.data.detail.status}`
  return Subject ?? Message.split('\n')[0] ?? ''
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
