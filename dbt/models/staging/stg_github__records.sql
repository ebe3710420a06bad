-- Grain: one row per current file and record number; a file of GitHub is one delivery.
select
  {{ record_origin('1') }},
  -- input/github/<event>/<delivery>.json; a key without that folder names no event.
  case
    when split_part(documents.object_key, '/', 4) <> '' then split_part(documents.object_key, '/', 3)
    else 'unknown'
  end as event,
  r.action,
  r.sender ->> 'login' as sender_login,
  {{ json_number("r.sender -> 'id'") }} as sender_id,
  r.repository ->> 'full_name' as repository,
  r.organization ->> 'login' as organization,
  -- trim_scale: 7 and 7.0 are one number, and two texts.
  (r.repository ->> 'full_name') || '#' || trim_scale({{ json_number('pull_request.number') }}) as pull_request_id,
  trim_scale({{ json_number('pull_request.number') }}) as pull_request_number,
  pull_request.title as pull_request_title,
  pull_request.user ->> 'login' as pull_request_author,
  pull_request.state as pull_request_state,
  {{ instant('pull_request.created_at') }} as pull_request_created_at,
  {{ instant('pull_request.updated_at') }} as pull_request_updated_at,
  {{ instant('pull_request.closed_at') }} as pull_request_closed_at,
  {{ instant('pull_request.merged_at') }} as pull_request_merged_at
from ({{ current_documents('github') }}) as documents
-- All fields at once: each `payload ->> 'field'` would decompress the document again.
cross join lateral jsonb_to_record(documents.payload) as r (
  action text, sender jsonb, repository jsonb, organization jsonb, pull_request jsonb
)
cross join lateral jsonb_to_record({{ json_object('r.pull_request') }}) as pull_request (
  number jsonb, title text, state text, "user" jsonb, created_at text, updated_at text, closed_at text, merged_at text
)
