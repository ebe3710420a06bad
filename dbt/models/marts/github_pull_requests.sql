-- Grain: one row per repository and number. Of all deliveries that hold the pull request, the one that it was updated last in.
{{
  config(
    pre_hook=[
      "{{ open_window('int_github_records') }}",
      "{{ replace_touched_ids('github', ref('int_github_records'), 'pull_request_id') }}",
    ],
    post_hook="{{ keep_watermark() }}",
    indexes=[{'columns': ['pull_request_id'], 'type': 'hash'}, {'columns': ['bucket', 'object_key']}],
  )
}}

select distinct on (record.pull_request_id)
  record.pull_request_id,
  record.repository,
  record.pull_request_number as number,
  record.pull_request_title as title,
  record.pull_request_author as author,
  -- For GitHub a merged one is closed.
  case when record.pull_request_merged_at is not null then 'merged' else record.pull_request_state end as state,
  record.pull_request_created_at as created_at,
  record.pull_request_updated_at as updated_at,
  record.pull_request_closed_at as closed_at,
  record.pull_request_merged_at as merged_at,
  record.file_id,
  record.bucket,
  record.object_key,
  record.version_id,
  record.event_at
from {{ ref('int_github_records') }} as record
{% if is_incremental() %}
inner join touched_ids on touched_ids.pull_request_id = record.pull_request_id
{% endif %}
where record.pull_request_id is not null
-- Deliveries come in any order: what the pull request says of itself goes before when its file was put.
order by record.pull_request_id, record.pull_request_updated_at desc nulls last, {{ latest_first('record') }}
