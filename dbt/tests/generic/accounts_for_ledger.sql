{#-
  Each key has as many records here as the ledger counted in its current file. Keys that changed above the model's
  watermark, and are still to be read, are left out: files come in while this runs.

  Keys that changed in the last two days. Fewer, and a difference is gone before somebody has looked; more only repeats what
  earlier runs have found, and takes longer with every file that there ever was.
-#}
{% test accounts_for_ledger(model, source_name) %}
  with recent as (
    select distinct bucket, key as object_key
    from ingest.files
    where source = '{{ source_name }}' and status = 'loaded' and changed_at > now() - interval '2 days'
  ),

  ledger as (
    select recent.bucket, recent.object_key, coalesce(sum(file.records), 0) as records
    from recent
    left join ingest.current_files as file
      on file.bucket = recent.bucket and file.key = recent.object_key and file.state = 'loaded'
    group by 1, 2
  ),

  present as (
    select recent.bucket, recent.object_key, count(record.file_id) as records
    from recent
    left join {{ model }} as record on record.bucket = recent.bucket and record.object_key = recent.object_key
    group by 1, 2
  )

  select bucket, object_key, ledger.records as ledger_records, present.records as model_records
  from ledger
  inner join present using (bucket, object_key)
  where
    ledger.records <> present.records
    and not exists (
      select
      from ingest.files as unread
      where
        unread.bucket = ledger.bucket
        and unread.key = ledger.object_key
        and unread.status = 'loaded'
        and unread.changed_xid >= (
          select read_below from ingest.transform_watermarks where model = '{{ model.identifier }}'
        )
    )
{% endtest %}
