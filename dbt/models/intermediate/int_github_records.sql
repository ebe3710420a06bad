-- Grain: one row per current file and record number, as in the view it is read from. Kept when raw drops the document.
{{
  config(
    pre_hook=["{{ open_window() }}", "{{ replace_touched_keys('github') }}"],
    post_hook="{{ keep_watermark('github') }}",
    indexes=[
      {'columns': ['file_id', 'record_number'], 'unique': true},
      {'columns': ['bucket', 'object_key']},
      {'columns': ['pull_request_id'], 'type': 'hash'},
      {'columns': ['event_day']},
    ],
  )
}}

select record.*
from {{ ref('stg_github__records') }} as record
{% if is_incremental() %}
inner join touched_keys on touched_keys.bucket = record.bucket and touched_keys.object_key = record.object_key
{% endif %}
