{#-
  What an incremental run replaces. Each macro is one hook before the model: it collects what is touched by files that
  changed in the window into a temporary table, and deletes the model's rows of it. The model then inserts what is there
  now. Nothing is done when the table is built from nothing.

  A temporary table is analyzed at once: without statistics PostgreSQL takes it for a thousand rows, and may scan what it
  should look up.
-#}

{#-
  `touched_keys`: object keys with a newly loaded file. By key, not by file: a newer version takes the place of the older
  one, with all its records, even when it has fewer, or none.

  A key is left alone when its current document was dropped from raw (an older version may come late): its rows could not be
  made again. The lock is shared by models and taken by the sweep while it detaches a day (db/old-partitions.ts), so that a
  document that was there for this statement is there for the next.
-#}
{% macro replace_touched_keys(source) %}
  {% if is_incremental() %}
  select pg_advisory_xact_lock_shared(7583003);

  create temporary table touched_keys on commit drop as
  select distinct file.bucket, file.key as object_key
  from ingest.files as file
  where
    {{ in_window('file') }}
    and file.source = '{{ source }}'
    and file.status = 'loaded'
    and not exists (
      select
      from ingest.current_files as current_file
      left join raw.documents as document
        on document.file_id = current_file.id and document.loaded_on = current_file.loaded_on
      where
        current_file.bucket = file.bucket
        and current_file.key = file.key
        and current_file.state = 'loaded'
        and document.file_id is null
    );

  analyze touched_keys;

  delete from {{ this }} as present
  using touched_keys
  where present.bucket = touched_keys.bucket and present.object_key = touched_keys.object_key;
  {% endif %}
{% endmacro %}

{#-
  `touched_ids`: what the touched keys hold now, and what the model took from them before. The latter finds what has left a
  file: it may live on in an older file of another key.

  Ids need a hash index: a producer's may be longer than a B-tree takes.
-#}
{% macro replace_touched_ids(source, records, id) %}
  {% if is_incremental() %}
  create temporary table touched_keys on commit drop as
  select distinct file.bucket, file.key as object_key
  from ingest.files as file
  where {{ in_window('file') }} and file.source = '{{ source }}' and file.status = 'loaded';

  analyze touched_keys;

  create temporary table touched_ids on commit drop as
  {% for relation in [records, this] %}
  select relation.{{ id }}
  from touched_keys
  inner join {{ relation }} as relation
    on relation.bucket = touched_keys.bucket and relation.object_key = touched_keys.object_key
  where relation.{{ id }} is not null
  {{ 'union' if not loop.last }}
  {% endfor %};

  analyze touched_ids;

  delete from {{ this }} as present using touched_ids where present.{{ id }} = touched_ids.{{ id }};
  {% endif %}
{% endmacro %}

{#-
  `touched_days`: days (UTC) on which versions of the touched keys count. All versions: a newer one makes the older
  superseded, on the older one's day. All three times: a version known from a listing alone counts on another day once its
  event comes.

  source: without one, changes of every source and to every status touch.
-#}
{% macro replace_touched_days(source=none) %}
  {% if is_incremental() %}
  create temporary table touched_days on commit drop as
  select distinct {{ utc_day('moments.moment') }} as day
  from ingest.files as changed
  inner join ingest.files as version on version.bucket = changed.bucket and version.key = changed.key
  cross join lateral (
    values (version.event_at), (version.last_modified_at), (version.created_at)
  ) as moments (moment)
  where
    {{ in_window('changed') }}
    {% if source is not none %}
    and changed.source = '{{ source }}'
    and changed.status = 'loaded'
    {% endif %}
    and moments.moment is not null;

  analyze touched_days;

  delete from {{ this }} as present using touched_days where present.day = touched_days.day;
  {% endif %}
{% endmacro %}

{#-
  The ledger's files of the touched days, or all of them. Two branches, each with a condition that its index can take: the
  BRIN index on event_at finds ranges, and rows without one.
-#}
{% macro files_of_touched_days() %}
  {% if is_incremental() %}
  select file.*
  from touched_days
  inner join {{ ref('stg_ledger__files') }} as file
    on file.event_at >= touched_days.day::timestamp at time zone 'UTC'
    and file.event_at < (touched_days.day + 1)::timestamp at time zone 'UTC'
  union all
  select file.*
  from touched_days
  inner join {{ ref('stg_ledger__files') }} as file on file.day = touched_days.day
  where file.event_at is null
  {% else %}
  select * from {{ ref('stg_ledger__files') }}
  {% endif %}
{% endmacro %}
