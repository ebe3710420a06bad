{#- A statement about single rows is not false for any of them. -#}
{% test holds(model, expression) %}
  select * from {{ model }} where not ({{ expression }})
{% endtest %}
