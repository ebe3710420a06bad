{#-
  Values out of documents. A contract lets through any text where it asks for a text, numbers of any size, and anything at
  all in fields that it does not name. None of that may break a build: what cannot be read is null.
-#}

{#- A jsonb that jsonb_to_record can take: anything but an object has no fields. -#}
{% macro json_object(value) -%}
  case when jsonb_typeof({{ value }}) = 'object' then {{ value }} else '{}'::jsonb end
{%- endmacro %}

{#- A jsonb that jsonb_array_elements can take: anything but an array has no elements. -#}
{% macro json_array(value) -%}
  case when jsonb_typeof({{ value }}) = 'array' then {{ value }} else '[]'::jsonb end
{%- endmacro %}

{#- A jsonb as numeric, which holds every number that jsonb holds, to the last digit. Integers and floats do not. -#}
{% macro json_number(value) -%}
  case when jsonb_typeof({{ value }}) = 'number' then ({{ value }})::numeric end
{%- endmacro %}

{#-
  A text with date, time and offset (ISO 8601) as timestamptz. The pattern refuses what PostgreSQL would read by the
  session's time zone, or by the clock (`now`). pg_input_is_valid refuses what has the form and is no time for PostgreSQL:
  the year 0000, an offset of +23:59.
-#}
{% macro instant(value) -%}
  case
    when
      {{ value }} ~ '^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$'
      and pg_input_is_valid({{ value }}, 'timestamptz')
      then {{ value }}::timestamptz
  end
{%- endmacro %}

{#-
  Milliseconds since 1970 (numeric) as timestamptz, from the year 1 to 9999. Rounded before it is cast: 1e-400 is no float
  either.
-#}
{% macro instant_of_milliseconds(value) -%}
  case
    when {{ value }} between -62135596800000 and 253402300799999
      then to_timestamp((round({{ value }}) / 1000)::double precision)
  end
{%- endmacro %}

{#- The day of an instant in UTC, whatever the session's time zone. -#}
{% macro utc_day(value) -%}
  ({{ value }} at time zone 'UTC')::date
{%- endmacro %}

{#-
  When a version was put. One known from a listing alone has no event: then when S3 stored it, or when the ledger first
  knew.
-#}
{% macro event_time(file) -%}
  coalesce({{ file }}.event_at, {{ file }}.last_modified_at, {{ file }}.created_at)
{%- endmacro %}
