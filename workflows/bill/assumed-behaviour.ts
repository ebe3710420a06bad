/** How AWS, PostgreSQL and Sluice itself behave under a load. */
import { type Assumption, assumed } from './assumption.ts'

export const BEHAVIOUR = {
  messagesPerReceive: assumed(
    1,
    'messages',
    'A poller that waits gets the first message that comes, alone. Only when they come faster than 5 pollers take them a receive brings up to 10.',
  ),
  pollers: assumed(
    5,
    'for each mapping',
    'Lambda begins with five, whatever the highest concurrency is, and each waits for 20 s when nothing comes.',
  ),
  ingestSecondsPerBatch: assumed(
    0.2,
    's',
    'Transaction, start of the execution and waiting, measured: a batch of 100 files takes about a second.',
  ),
  ingestMillisecondsPerFile: assumed(3, 'ms', 'GETs of 16 at a time with 10 to 30 ms each, and the ledger.'),
  ingestMicrosecondsPerKilobyte: assumed(
    100,
    'us',
    'Parsing, sending and storing, measured: 1.5 ms of the function and 1.5 ms of the database for 50 KB, doubled.',
  ),
  coldShare: assumed(
    0.01,
    'of calls',
    'AWS says that less than one call in a hundred starts a new environment. Each is 0.6 s more, and a secret that is read.',
  ),
  taskSeconds: assumed(0.5, 's', 'What the function of a Task takes: a few questions to the database.'),

  storedShare: assumed(
    0.446,
    'of a file',
    'Measured: 22.3 KB of table for 50 KB of JSON, compressed by PostgreSQL. Files below 2 KB are not compressed.',
  ),
  ledgerBytesPerFile: assumed(
    1_000,
    'bytes',
    'A row of the ledger with its indexes, kept for ever: it proves that nothing was lost.',
  ),
  martsShare: assumed(
    0.5,
    'of a file',
    'Rows of intermediate tables and marts with their indexes, kept for ever. Measured: 51 KB for an order of 43 KB with 130 lines, whose lines are kept in both; an event of GitHub leaves 2 KB, whatever its size. This is half and half. It moves the bill more than anything else that is assumed: measure yours.',
  ),
  databaseBaseGigabytes: assumed(10, 'GB', 'The least that Aurora charges for a volume.'),
  walKilobytesPerFile: assumed(1.7, 'KB', 'Written besides the document: ledger and indexes.'),
  transformIoPerFile: assumed(
    5,
    'I/O',
    'dbt reads a new document from storage once (3 pages of 8 KB for 50 KB) and looks up what it replaces. What it writes comes on top.',
  ),
  queryIo: assumed(5_000_000, 'I/O a month', "Analysts' queries of what is not in memory: 40 GB."),
  backupFactor: assumed(
    6,
    'x what is loaded',
    'Backups hold whole pages for each change, and what was dropped since. Beyond a copy of the volume, which is free.',
  ),
  databaseMillisecondsPerFile: assumed(
    4.5,
    'ms of a vCPU',
    'Measured: 1.4 ms to load 50 KB; and twice that for dbt. More than its baseline costs a T class extra.',
  ),
  unitsUnderLoad: assumed(1, 'units', 'Of Aurora Serverless while somebody is connected.'),
  heldAwakeSeconds: assumed(
    900,
    's',
    'A function that waits for its next call keeps its connection, and a connection keeps the database awake.',
  ),

  buildMinutes: assumed(
    5,
    'min',
    'Of a transform: a machine, Python, packages from the cache, dbt, its reports. AWS rounds up.',
  ),
  migrateMinutes: assumed(4, 'min', 'Of a migration.'),
  buildMegabytes: assumed(
    20,
    'MB',
    'Through the NAT gateway or instance, for each build: reports, logs, calls of APIs. Packages come from the cache in S3.',
  ),
  artifactMegabytes: assumed(5, 'MB', 'That a build leaves in its bucket.'),
  batchKilobytesThroughNat: assumed(10, 'KB', 'A start of an execution, with its TLS handshake.'),

  batchLogKilobytes: assumed(
    4,
    'KB',
    "Lambda's three lines, one for each slice, and a line of metrics for the function and for each source.",
  ),
  executionLogKilobytesPerState: assumed(
    3.5,
    'KB',
    'Only where the state machine logs ALL: entered and left, with input and output. At ERROR nothing is written while all goes well.',
  ),
  buildLogKilobytes: assumed(50, 'KB', 'Of dbt and of its installation.'),
  databaseLogMegabytes: assumed(10, 'MB a day', 'Connections, checkpoints, slow statements.'),
  flowRecordBytes: assumed(120, 'bytes', 'A line of the flow log, with what CloudWatch adds to it.'),
  flowRecordsPerConnection: assumed(
    3,
    'lines',
    'There and back at the interface of the function, and again at that of the way out or the database for some.',
  ),
  keyCalls: assumed(22_222, 'calls a month', 'Of each key of your own, with bucket keys.'),
  bootstrapGigabytes: assumed(
    1,
    'GB',
    "CDK's own bucket, in a stack of its own: bundles and templates of past deployments.",
  ),
} satisfies Record<string, Assumption>
