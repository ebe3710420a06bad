-- Grain: one row per object version.
select
  file.id as file_id,
  file.bucket,
  file.key as object_key,
  file.version_id,
  coalesce(file.source, 'unclaimed') as source,
  file.state,
  file.event_at,
  {{ utc_day(event_time('file')) }} as day,
  file.size_bytes,
  file.records,
  file.reason,
  file.batch_id,
  file.replay_id
from {{ source('ledger', 'current_files') }} as file
