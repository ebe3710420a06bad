{#- No two rows agree in all of these columns; nulls agree with nulls. -#}
{% test unique_combination(model, columns) %}
  select {{ columns | join(', ') }}, count(*) as rows
  from {{ model }}
  group by {{ columns | join(', ') }}
  having count(*) > 1
{% endtest %}
