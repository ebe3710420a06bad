-- Grain: one row per batch.
select
  batch.id as batch_id,
  batch.received_at,
  batch.committed_at,
  batch.files,
  batch.bytes
from {{ source('ledger', 'batches') }} as batch
