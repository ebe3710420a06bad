-- Grain: one row per current file and record number, as in the view it is read from. Kept when raw drops the document.
{{
  config(
    pre_hook=["{{ open_window() }}", "{{ replace_touched_keys('stock-movements') }}"],
    post_hook="{{ keep_watermark('stock-movements') }}",
    indexes=[
      {'columns': ['file_id', 'record_number'], 'unique': true},
      {'columns': ['bucket', 'object_key']},
    ],
  )
}}

select record.*
from {{ ref('stg_stock_movements__records') }} as record
{% if is_incremental() %}
inner join touched_keys on touched_keys.bucket = record.bucket and touched_keys.object_key = record.object_key
{% endif %}
