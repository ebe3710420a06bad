{#-
  Current files of a source with their documents, for the views that take records out of them. A join of two tables and
  nothing else, so that a condition on the file or its key reaches the index; by load day too, so that only its partition is
  read. It stands in `from`, in brackets: PostgreSQL cannot look into a view that begins with `with`, and would read all
  files for one key. So would it with more than join_collapse_limit (8) tables and functions in one `from`, the reader's own
  counted.
-#}
{% macro current_documents(source_name) %}
  {% set table = source_name | replace('-', '_') %}
  select
    file.id as file_id,
    file.bucket,
    file.key as object_key,
    file.version_id,
    {{ event_time('file') }} as event_at,
    {{ utc_day(event_time('file')) }} as event_day,
    document.payload
  from {{ source('files', table) }} as file
  inner join {{ source('documents', table) }} as document
    on document.file_id = file.id and document.loaded_on = file.loaded_on
  where file.source = '{{ source_name }}' and file.state = 'loaded'
{% endmacro %}

{#- What every record says of where it comes from. -#}
{% macro record_origin(record_number) -%}
  documents.file_id,
  {{ record_number }}::bigint as record_number,
  documents.bucket,
  documents.object_key,
  documents.version_id,
  documents.event_at,
  documents.event_day
{%- endmacro %}

{#-
  The last columns by which the latest of several records is chosen. Time alone may tie, and then a rebuild must choose as
  the run before it did: by what the producer wrote, not by the order of arrival.
-#}
{% macro latest_first(record) -%}
  {{ record }}.event_at desc, {{ record }}.bucket desc, {{ record }}.object_key desc, {{ record }}.version_id desc,
  {{ record }}.record_number desc
{%- endmacro %}
