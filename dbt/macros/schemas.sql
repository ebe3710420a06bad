{#-
  Schemas are named exactly as the project says. dbt would put the profile's schema before them: a database is one stage
  here.
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
