-- Grain: one row per order id. Of all current files that hold the order, the one put last counts.
{{
  config(
    pre_hook=[
      "{{ open_window('int_orders_records') }}",
      "{{ replace_touched_ids('orders', ref('int_orders_records'), 'order_id') }}",
    ],
    post_hook="{{ keep_watermark() }}",
    indexes=[{'columns': ['order_id'], 'type': 'hash'}, {'columns': ['bucket', 'object_key']}],
  )
}}

select distinct on (record.order_id)
  record.order_id,
  record.ordered_at,
  record.currency,
  record.total,
  record.customer_id,
  record.customer_country,
  record.file_id,
  record.record_number,
  record.bucket,
  record.object_key,
  record.version_id,
  record.event_at
from {{ ref('int_orders_records') }} as record
{% if is_incremental() %}
inner join touched_ids on touched_ids.order_id = record.order_id
{% endif %}
where record.order_id is not null
order by record.order_id, {{ latest_first('record') }}
