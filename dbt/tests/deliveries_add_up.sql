-- Every delivery is counted, on its day.
select day, counted.deliveries, present.deliveries as records
from (
  select day, sum(deliveries) as deliveries from {{ ref('github_activity_daily') }} group by day
) as counted
full join (
  select event_day as day, count(*) as deliveries from {{ ref('int_github_records') }} group by event_day
) as present using (day)
where counted.deliveries is distinct from present.deliveries
