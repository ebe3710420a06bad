-- Grain: one row per current file and record number; a record is a movement.
select
  {{ record_origin('element.position') }},
  r.movement_id,
  r.sku,
  r.warehouse,
  {{ json_number('r.delta') }} as delta,
  r.reason,
  {{ instant('r.moved_at') }} as moved_at
from ({{ current_documents('stock-movements') }}) as documents
cross join lateral (
  select * from jsonb_array_elements(documents.payload) with ordinality as elements (movement, position)
) as element
cross join lateral jsonb_to_record({{ json_object('element.movement') }}) as r (
  movement_id text, sku text, warehouse text, delta jsonb, reason text, moved_at text
)
