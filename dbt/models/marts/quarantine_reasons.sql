-- Grain: one row per day (UTC), source, kind of reason, and rule and path of its first issue.
{{
  config(
    pre_hook=["{{ open_window() }}", "{{ replace_touched_days() }}"],
    post_hook="{{ keep_watermark() }}",
    indexes=[{'columns': ['day']}],
  )
}}

with files as (
  {{ files_of_touched_days() }}
),

refused as (
  select
    files.day,
    files.source,
    files.object_key,
    files.event_at,
    files.reason ->> 'kind' as kind,
    files.reason #>> '{issues,0,rule}' as rule,
    -- Positions would make a class of each line: $.lines[3].price and $.lines[7].price are one mistake.
    regexp_replace(files.reason #>> '{issues,0,path}', '\[\d+\]', '[*]', 'g') as path
  from files
  where files.state in ('poison', 'quarantined')
)

select
  refused.day,
  refused.source,
  coalesce(refused.kind, 'unknown') as kind,
  refused.rule,
  refused.path,
  count(*) as files,
  max(refused.event_at) as last_event_at,
  (array_agg(refused.object_key order by refused.event_at desc nulls last, refused.object_key))[1] as example_key
from refused
group by 1, 2, 3, 4, 5
