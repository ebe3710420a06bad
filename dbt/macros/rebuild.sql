{#-
  Says what a rebuild costs, before it happens. Outside stage `local` and `test` a full refresh is refused, unless `--vars
  '{rebuild_from_raw: true}'` says that it is meant (see dbt_project.yml).
-#}
{% macro warn_of_rebuild() %}
  {% if execute and flags.FULL_REFRESH and var('rebuild_from_raw', false) %}
    {% set oldest = run_query('select min(loaded_on) from raw.documents').columns[0].values()[0] %}
    {% do exceptions.warn(
      'Rebuilding from raw, whose oldest day is ' ~ (oldest or 'none: it is empty')
      ~ '. Rows of files that were loaded before will be gone for good.'
    ) %}
  {% endif %}
{% endmacro %}
