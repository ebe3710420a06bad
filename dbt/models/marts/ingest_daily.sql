-- Grain: one row per day (UTC) and source. Every object version counts once, on the day it was put.
{{
  config(
    pre_hook=["{{ open_window() }}", "{{ replace_touched_days() }}"],
    post_hook="{{ keep_watermark() }}",
    indexes=[{'columns': ['day', 'source'], 'unique': true}],
  )
}}

with files as (
  {{ files_of_touched_days() }}
)

select
  files.day,
  files.source,
  count(*) as files,
  count(*) filter (where files.state = 'loaded') as loaded,
  count(*) filter (where files.state = 'superseded') as superseded,
  count(*) filter (where files.state = 'quarantined') as quarantined,
  count(*) filter (where files.state = 'poison') as poison,
  count(*) filter (where files.state = 'vanished') as vanished,
  count(*) filter (where files.state = 'dead_letter') as dead_letters,
  count(*) filter (where files.state = 'attempted') as attempted,
  coalesce(sum(files.size_bytes), 0) as bytes,
  coalesce(sum(files.records) filter (where files.state = 'loaded'), 0) as records,
  count(*) filter (where files.replay_id is not null) as replayed,
  round((percentile_cont(0.50) within group (order by lag.seconds))::numeric, 3) as p50_seconds,
  round((percentile_cont(0.99) within group (order by lag.seconds))::numeric, 3) as p99_seconds,
  -- Last, as where the column came to a table that was there.
  count(*) filter (where files.state = 'erased') as erased
from files
left join {{ ref('stg_ledger__batches') }} as batches on batches.batch_id = files.batch_id
cross join lateral (
  -- What a person had loaded again was put long ago, and says nothing of how fast files come.
  select case when files.replay_id is null then extract(epoch from batches.committed_at - files.event_at) end as seconds
) as lag
group by files.day, files.source
