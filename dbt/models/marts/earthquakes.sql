-- Grain: one row per earthquake. Of all revisions in current feeds, the one updated last.
{{
  config(
    pre_hook=[
      "{{ open_window('int_earthquakes_records') }}",
      "{{ replace_touched_ids('earthquakes', ref('int_earthquakes_records'), 'earthquake_id') }}",
    ],
    post_hook="{{ keep_watermark() }}",
    indexes=[{'columns': ['earthquake_id'], 'type': 'hash'}, {'columns': ['bucket', 'object_key']}],
  )
}}

select distinct on (record.earthquake_id)
  record.earthquake_id,
  record.occurred_at,
  record.updated_at,
  record.magnitude,
  record.place,
  record.status,
  record.type,
  record.longitude,
  record.latitude,
  record.depth_km,
  record.file_id,
  record.bucket,
  record.object_key,
  record.version_id,
  record.event_at
from {{ ref('int_earthquakes_records') }} as record
{% if is_incremental() %}
inner join touched_ids on touched_ids.earthquake_id = record.earthquake_id
{% endif %}
where record.earthquake_id is not null
-- By the number as it came: it also orders what is no time.
order by record.earthquake_id, record.updated_milliseconds desc nulls last, {{ latest_first('record') }}
