{#- The model has exactly the ids that the records have: none was forgotten, and none outlived its last file. -#}
{% test same_ids(model, column_name, records) %}
  (select {{ column_name }} from {{ records }} where {{ column_name }} is not null except select {{ column_name }} from {{ model }})
  union all
  (select {{ column_name }} from {{ model }} except select {{ column_name }} from {{ records }})
{% endtest %}
