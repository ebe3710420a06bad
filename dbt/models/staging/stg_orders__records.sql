-- Grain: one row per current file and record number; a file of orders is one order.
select
  {{ record_origin('1') }},
  r.order_id,
  {{ instant('r.ordered_at') }} as ordered_at,
  r.currency,
  {{ json_number('r.total') }} as total,
  r.customer ->> 'id' as customer_id,
  r.customer ->> 'country' as customer_country,
  r.lines
from ({{ current_documents('orders') }}) as documents
-- All fields at once: each `payload ->> 'field'` would decompress the document again.
cross join lateral jsonb_to_record(documents.payload) as r (
  order_id text, ordered_at text, currency text, total jsonb, customer jsonb, lines jsonb
)
