-- Grain: one row per order id and line number. The lines of the file that counts for the order.
{{
  config(
    pre_hook=[
      "{{ open_window('orders') }}",
      "{{ replace_touched_ids('orders', ref('int_orders_records'), 'order_id') }}",
    ],
    post_hook="{{ keep_watermark() }}",
    indexes=[{'columns': ['order_id'], 'type': 'hash'}, {'columns': ['bucket', 'object_key']}],
  )
}}

with counting as (
  select orders.order_id, orders.file_id, orders.bucket, orders.object_key, orders.event_at, record.lines
  from {{ ref('orders') }} as orders
  {% if is_incremental() %}
  inner join touched_ids on touched_ids.order_id = orders.order_id
  {% endif %}
  inner join {{ ref('int_orders_records') }} as record
    on record.file_id = orders.file_id and record.record_number = orders.record_number
)

select
  counting.order_id,
  line.line_number,
  fields.sku,
  {{ json_number('fields.quantity') }} as quantity,
  {{ json_number('fields.unit_price') }} as unit_price,
  counting.file_id,
  counting.bucket,
  counting.object_key,
  counting.event_at
from counting
cross join lateral jsonb_array_elements({{ json_array('counting.lines') }}) with ordinality as line (line, line_number)
cross join lateral jsonb_to_record({{ json_object('line.line') }}) as fields (sku text, quantity jsonb, unit_price jsonb)
