-- Grain: one row per current file and record number, as in the view it is read from. Kept when raw drops the document.
{{
  config(
    pre_hook=["{{ open_window() }}", "{{ replace_touched_keys('earthquakes') }}"],
    post_hook="{{ keep_watermark('earthquakes') }}",
    indexes=[
      {'columns': ['file_id', 'record_number'], 'unique': true},
      {'columns': ['bucket', 'object_key']},
      {'columns': ['earthquake_id'], 'type': 'hash'},
    ],
  )
}}

select record.*
from {{ ref('stg_earthquakes__records') }} as record
{% if is_incremental() %}
inner join touched_keys on touched_keys.bucket = record.bucket and touched_keys.object_key = record.object_key
{% endif %}
