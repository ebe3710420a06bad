-- Grain: one row per current file and record number; a record is a feature of the feed, a revision of an earthquake.
select
  {{ record_origin('element.position') }},
  r.id as earthquake_id,
  {{ json_number('properties.mag') }} as magnitude,
  properties.place,
  {{ instant_of_milliseconds(json_number('properties.time')) }} as occurred_at,
  {{ json_number('properties.updated') }} as updated_milliseconds,
  {{ instant_of_milliseconds(json_number('properties.updated')) }} as updated_at,
  properties.status,
  properties.type,
  {{ json_number("r.geometry -> 'coordinates' -> 0") }} as longitude,
  {{ json_number("r.geometry -> 'coordinates' -> 1") }} as latitude,
  {{ json_number("r.geometry -> 'coordinates' -> 2") }} as depth_km
from ({{ current_documents('earthquakes') }}) as documents
-- Once for the feed, then once for each feature, which is small.
cross join lateral jsonb_to_record(documents.payload) as feed (features jsonb)
cross join lateral (
  select * from jsonb_array_elements({{ json_array('feed.features') }}) with ordinality as elements (feature, position)
) as element
cross join lateral jsonb_to_record({{ json_object('element.feature') }}) as r (id text, properties jsonb, geometry jsonb)
cross join lateral jsonb_to_record({{ json_object('r.properties') }}) as properties (
  mag jsonb, place text, "time" jsonb, updated jsonb, status text, type text
)
