{#-
  Which changes of the ledger a run of a model reads: those by transactions from `read_from` on and below `read_below`.

  Transaction ids, not timestamps: a transaction that began earlier may commit later, and a model that had read "up to
  10:05" would never see it. Below the snapshot's xmin everything has ended, so nothing can appear there any more.

  The tables of the ledger are named here and not through source(): they are read to learn what is new, and a dependency on
  them would make every model depend on every source.
-#}

{#-
  First hook of an incremental model. The upper bound is taken once and kept for the transaction, since each later statement
  has a later snapshot: a file committed in between would be below its bound and still not read.

  upstream: the model whose watermark is the upper bound; without one it is the ledger itself.

  A watermark above the bound belongs to another server: after a restore from a dump ids begin anew. Then all is read again.
  Where the ledger did not change at all the bounds are equal, and the watermark stays.
-#}
{% macro open_window(upstream=none) %}
  with known as (
    select
      {% if upstream is none %}
      pg_snapshot_xmin(pg_current_snapshot())
      {% else %}
      coalesce((select read_below from ingest.transform_watermarks where model = '{{ upstream }}'), '0'::xid8)
      {% endif %} as horizon,
      {% if is_incremental() %}
      (select read_below from ingest.transform_watermarks where model = '{{ this.identifier }}')
      {% else %}
      null::xid8
      {% endif %} as watermark
  ),

  bounds as (
    select horizon, watermark, case when watermark <= horizon then watermark else '0'::xid8 end as read_from from known
  )

  select
    set_config('sluice.read_from', read_from::text, true),
    set_config('sluice.read_below', (
      case
        when watermark is null or exists (
          select from ingest.files where changed_xid >= read_from and changed_xid < horizon
        ) then horizon
        else read_from
      end
    )::text, true)
  from bounds
{% endmacro %}

{#-
  Holds for files that changed in the window. A setting, not a joined row: the planner can see its value, and goes by index.
-#}
{% macro in_window(file) -%}
  {{ file }}.changed_xid >= current_setting('sluice.read_from')::xid8
  and {{ file }}.changed_xid < current_setting('sluice.read_below')::xid8
{%- endmacro %}

{#-
  Last hook of an incremental model: in the same transaction, so that rows and watermark cannot disagree. A watermark that
  did not move is not written. `--empty` has read nothing.

  source: whose documents the model itself reads, and not another model for it. They are not dropped before it has read them.
-#}
{% macro keep_watermark(source=none) %}
  {% if not flags.EMPTY %}
  insert into ingest.transform_watermarks as known (model, read_below, source)
  values ('{{ this.identifier }}', current_setting('sluice.read_below')::xid8, {{ "'" ~ source ~ "'" if source else 'null' }})
  on conflict (model) do update set read_below = excluded.read_below, source = excluded.source
  where (known.read_below, known.source) is distinct from (excluded.read_below, excluded.source)
  {% endif %}
{% endmacro %}
