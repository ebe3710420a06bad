/**
 * What cdk-nag finds and is meant to be so, by rule, each with the reason why the rule is not right here. What is a weakness has no
 * place in this list: it is mended. An entry that covers nothing any more fails the check, and so must go.
 */
export interface Acknowledgement {
  readonly rules: readonly string[]
  /** Names of stacks, such as `Sluice-local`; all, if not given. */
  readonly stacks?: readonly string[]
  /** Constructs within the stack, each with all that it is made of. `''` is the whole stack. */
  readonly at: readonly string[]
  /** Of rules that look at parts of a resource: exactly these parts, as the check prints them. */
  readonly details?: readonly string[]
  readonly reason: string
}

export const acknowledged: readonly Acknowledgement[] = [
  {
    rules: ['AwsSolutions-CB4'],
    at: ['Migration/Project', 'Transform/Project'],
    reason:
      "Builds write with the account's key for S3, which is encryption at rest all the same. A key of one's own is for readers in " +
      'other accounts, of whom there are none, and costs a dollar a month and every request.',
  },
  {
    rules: ['AwsSolutions-EC28'],
    stacks: ['Sluice-dev'],
    at: ['Network/Vpc/PublicSubnet1/NatInstance'],
    reason:
      'Metrics by the minute cost two thirds of what the instance does, and nobody is told of them: whoever tries something sees ' +
      'that files wait.',
  },
  {
    rules: ['AwsSolutions-EC29'],
    stacks: ['Sluice-dev'],
    at: ['Network/Vpc/PublicSubnet1/NatInstance'],
    reason:
      'It holds nothing, a deployment replaces it whenever there is a newer image, and it is to go with its stack. In a group it ' +
      'would need rights to move routes and addresses when it is replaced.',
  },
  {
    rules: ['AwsSolutions-IAM4'],
    at: [''],
    details: ['Policy::arn:<partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'],
    reason:
      'It lets a function write logs and nothing else. That it may do so in any group opens no data to it: nothing here acts on ' +
      'what stands in a log.',
  },
  {
    rules: ['AwsSolutions-IAM4'],
    at: ['Erasure', 'Ingestion', 'Inspection', 'Orchestration'],
    details: ['Policy::arn:<partition>:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole'],
    reason:
      'What Lambda needs to place a function in a VPC. Interfaces have no ids before they are made, so a policy of our own could ' +
      'not name them either, and AWS refuses to delete one that is in use.',
  },
  {
    rules: ['AwsSolutions-IAM5'],
    at: [
      ...['Ingestion/Ingest', 'Orchestration/LoadFile', 'Orchestration/QuarantineFiles', 'Orchestration/ReplayFiles'],
      ...['Migration/Project', 'Transform/Project'],
    ],
    details: ['Action::s3:GetBucket*', 'Action::s3:GetObject*', 'Action::s3:List*'],
    reason: 'Reading, as CDK grants it: on one bucket, and in it on the prefixes or the one archive that are read.',
  },
  {
    rules: ['AwsSolutions-IAM5'],
    at: ['People'],
    details: [
      'Resource::*',
      'Resource::arn:<partition>:states:<region>:<account>:execution:<Orchestration/Pipeline.Name>:*',
    ],
    reason:
      'Executions of this one state machine, whose names are made as they start; and the list of state machines, which AWS gives ' +
      'whole or not at all.',
  },
  {
    rules: ['AwsSolutions-IAM5'],
    at: ['People/Operator'],
    details: ['Resource::<Landing/Bucket.Arn>/input/*', 'Resource::<Landing/Bucket.Arn>/quarantine/*'],
    reason: 'An operator loads files of any name, and reads the one that was refused. Nothing of it deletes.',
  },
  {
    rules: ['AwsSolutions-IAM5'],
    at: ['Erasure/EraseFile'],
    details: ['Resource::<Landing/Bucket.Arn>/input/*', 'Resource::<Landing/Bucket.Arn>/quarantine/*'],
    reason:
      'Whichever key is to be erased, with its copies. It deletes exact versions, one key a call, for an operator who is written ' +
      'down first; it can read none.',
  },
  {
    rules: ['AwsSolutions-IAM5'],
    at: ['Orchestration/QuarantineFiles', 'Transform/Project'],
    details: ['Action::s3:Abort*'],
    reason: 'It stands for AbortMultipartUpload alone, and whoever may put must be able to clear up a put that failed.',
  },
  {
    rules: ['AwsSolutions-IAM5'],
    at: ['Ingestion/Ingest', 'Orchestration/LoadFile', 'Orchestration/QuarantineFiles', 'Orchestration/ReplayFiles'],
    details: ['Resource::<Landing/Bucket.Arn>/input/*'],
    reason:
      'Producers choose the keys of files; nobody can list them. Read only, and a test holds the permissions to it.',
  },
  {
    rules: ['AwsSolutions-IAM5'],
    at: ['Ingestion/Ingest', 'Orchestration/QuarantineFiles', 'Orchestration/ReplayFiles'],
    details: ['Resource::<Landing/Bucket.Arn>/quarantine/*'],
    reason: 'Keys there hold ids of the ledger. Only QuarantineFiles may write them, and it may delete nothing.',
  },
  {
    rules: ['AwsSolutions-IAM5'],
    at: ['Transform/Project'],
    details: ['Action::s3:DeleteObject*', 'Resource::<Transform/Builds.Arn>/*'],
    reason: "The bucket holds this build's cache and artifacts and nothing else, all of which can be made again.",
  },
  {
    rules: ['AwsSolutions-IAM5'],
    at: ['Transform/Project'],
    details: ['Resource::arn:<partition>:codebuild:<region>:<account>:report-group/<Transform/Project>-*'],
    reason:
      'CodeBuild names report groups after the project and what its buildspec calls them; they hold results of tests.',
  },
  {
    rules: ['AwsSolutions-IAM5'],
    at: ['Migration/Project'],
    details: ['Resource::arn:<partition>:logs:<region>:<account>:log-group:/aws/codebuild/<Migration/Project>:*'],
    reason: 'The streams of one log group, which are named after builds.',
  },
  {
    rules: ['AwsSolutions-IAM5'],
    at: ['Transform/Project'],
    details: ['Resource::arn:<partition>:logs:<region>:<account>:log-group:/aws/codebuild/<Transform/Project>:*'],
    reason: 'The streams of one log group, which are named after builds.',
  },
  {
    rules: ['AwsSolutions-IAM5'],
    at: ['Orchestration/Pipeline'],
    details: [
      'ClaimDeadLetters',
      'ClaimTransform',
      'CollectDeadLetters',
      'LoadFile',
      'QuarantineFiles',
      'ReplayFiles',
      'ReconcileFiles',
      'Sweep',
    ].map((name) => `Resource::<Orchestration/${name}.Arn>:*`),
    reason:
      "Versions of the functions that are the pipeline's Tasks, and of no others; a test compares them with its definition.",
  },
  {
    rules: ['AwsSolutions-IAM5'],
    at: ['Orchestration/Pipeline'],
    details: ['Resource::*'],
    reason:
      'The actions by which a state machine sets up the delivery of its log know no resources. A test holds this statement to ' +
      'actions of logs.',
  },
  {
    rules: ['AwsSolutions-IAM5'],
    at: ['Migration/Project', 'Transform/Project'],
    details: ['Resource::arn:<partition>:ec2:<region>:<account>:network-interface/*', 'Resource::*'],
    reason:
      'What CodeBuild needs to place a build in a VPC: to describe networks, which know no resources, and to make and delete ' +
      'interfaces, which have no ids before. The permission to use one is held to CodeBuild and to the subnets of the stage.',
  },
  {
    rules: ['AwsSolutions-IAM5'],
    at: ['LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a'],
    details: ['Resource::*'],
    reason:
      "CDK's function that says how long the log is kept that RDS makes for the cluster. CloudFormation alone calls it; it can " +
      'read no log and delete none.',
  },
  {
    rules: ['AwsSolutions-IAM5'],
    stacks: ['Sluice-dev-github', 'Sluice-prod-github'],
    at: ['Deploy', 'Transform'],
    details: ['Resource::*', 'Resource::arn:<partition>:states:<region>:<account>:execution:sluice-<stage>-pipeline:*'],
    reason:
      'To find the state machine by its name: states:ListStateMachines knows no resource. And to ask after executions of this one ' +
      'pipeline, whose names are made when they start.',
  },
  {
    rules: ['AwsSolutions-IAM5'],
    stacks: ['Sluice-dev-github', 'Sluice-prod-github'],
    at: ['Deploy'],
    details: ['Resource::arn:<partition>:s3:::sluice-<stage>-landing*/input/orders/*'],
    reason:
      'The smoke file of a deployment. CloudFormation names the end of the bucket, a condition holds it to this account, and the ' +
      'prefix to one source.',
  },
  {
    rules: ['AwsSolutions-IAM5'],
    stacks: ['Sluice-dev-github', 'Sluice-prod-github'],
    at: ['Plan'],
    details: ['Resource::arn:<partition>:cloudformation:<region>:<account>:stack/Sluice-<stage>/*'],
    reason: "To read the template of one stack, whose ARN ends in an id that is AWS's to choose.",
  },
  {
    rules: ['AwsSolutions-RDS6'],
    at: ['Aurora/Cluster'],
    reason:
      'Every role has a generated password that is rotated each month and sent over verified TLS only. Tokens of IAM are signed ' +
      'by AWS, so the laptop and AWS would run different programs.',
  },
  {
    rules: ['AwsSolutions-RDS10'],
    stacks: ['Sluice-dev'],
    at: ['Aurora/Cluster'],
    reason: 'This stage is for trying things, and its database is to go with its stack. `prod` is protected.',
  },
  {
    rules: ['AwsSolutions-S1'],
    at: ['Landing/Bucket', 'Transform/Builds'],
    reason:
      "What was put is in the ledger, version by version. Who read or put it is for the account's CloudTrail to say: access logs " +
      'come late, are not guaranteed to come, and need a third bucket that would have to be guarded like the first.',
  },
  {
    rules: ['AwsSolutions-SF1'],
    at: ['Orchestration/Pipeline'],
    reason:
      'Step Functions itself keeps every event of a standard execution for 90 days, and `sluice execution` reads them there. The ' +
      'log holds errors, for searching; all events would be paid for twice.',
  },
  {
    rules: ['AwsSolutions-SF2', 'Serverless-StepFunctionStateMachineXray'],
    at: ['Orchestration/Pipeline'],
    reason:
      'The ledger follows each version from its event to its execution, without sampling, and `sluice explain` shows it. Traces ' +
      'would show the same for some, for permissions on every resource and a price per trace.',
  },
  {
    rules: ['Serverless-LambdaTracing'],
    at: ['Erasure', 'Ingestion', 'Inspection', 'Migration', 'Orchestration'],
    reason:
      'As for the state machine: the ledger and the log lines of Powertools say what a trace would, for every file.',
  },
  {
    rules: ['AwsSolutions-SMG4'],
    stacks: ['Sluice-local'],
    at: ['Database', 'LocalServer/AdminSecret'],
    reason:
      'Passwords of a PostgreSQL that listens on this machine only. There is no AWS to rotate them; the other stages rotate theirs.',
  },
  {
    rules: ['Serverless-EventBusDLQ'],
    at: ['Triggers/DeadLetters', 'Triggers/ExecutionFailed'],
    reason:
      'EventBridge tries for a day. What is lost after that is an impulse and no data: the sweep starts a drain that nobody ' +
      'started, and `sluice status` counts failed executions.',
  },
  {
    rules: ['Serverless-LambdaDLQ'],
    at: ['Erasure/EraseFile', 'Ingestion/Ingest', 'Inspection/ReadLedger', 'Migration/StartBuild', 'Orchestration'],
    reason:
      'Lambda uses it for asynchronous calls, and nobody makes any: the mappings, the state machine, the deployment and the ' +
      'command line all wait for the answer, and messages that fail have their dead-letter queue behind the queue.',
  },
  {
    rules: ['Serverless-LambdaEventSourceMappingDestination'],
    at: ['Ingestion/IngestQueueMapping', 'Ingestion/ReplayQueueMapping'],
    reason: 'A mapping of an SQS queue has none, only those of streams do. The queue has a redrive policy instead.',
  },
  {
    rules: ['Serverless-SNSRedrivePolicy'],
    stacks: ['Sluice-prod'],
    at: ['Notices/Pages', 'Notices/Topic'],
    reason:
      'SNS tries to send a mail for hours. What it says stands in the ledger and in `sluice status` all the while.',
  },
  {
    rules: ['Serverless-SQSRedrivePolicy'],
    at: ['Landing/DeadLetterQueue'],
    reason: 'It is the dead-letter queue. Its alarm starts a drain, which takes the messages into the ledger.',
  },
  {
    rules: ['cfn-lint-W3005'],
    at: [''],
    reason:
      'CDK writes down that a function needs its role, beside the reference that says the same. CloudFormation takes both.',
  },
]
