-- Grain: one row per day (UTC), repository, event and action.
{{
  config(
    pre_hook=["{{ open_window('int_github_records') }}", "{{ replace_touched_days('github') }}"],
    post_hook="{{ keep_watermark() }}",
    indexes=[{'columns': ['day']}],
  )
}}

select
  record.event_day as day,
  record.repository,
  record.event,
  record.action,
  count(*) as deliveries,
  count(distinct record.sender_id) as senders
from {{ ref('int_github_records') }} as record
{% if is_incremental() %}
inner join touched_days on touched_days.day = record.event_day
{% endif %}
group by record.event_day, record.repository, record.event, record.action
