"""CodeBuild tells CloudWatch how builds end.

AWS: SucceededBuilds, and FailedBuilds for those that failed or ran out of time, with the dimension ProjectName. A build that
somebody stopped is neither.
https://docs.aws.amazon.com/codebuild/latest/userguide/cloudwatch_metrics-codebuild.html
ministack 1.5.33: no metrics.
Here: a point at the end of a build; `builds.py` says when.
Not restored: Builds, Duration and those of single phases; the metrics of all projects together.
"""

import metric_points

METRICS = {"SUCCEEDED": "SucceededBuilds", "FAILED": "FailedBuilds", "TIMED_OUT": "FailedBuilds"}


def count(build: dict) -> None:
    metric = METRICS.get(build["buildStatus"])
    if metric is not None:
        metric_points.record("AWS/CodeBuild", metric, 1, "Count", {"ProjectName": build["projectName"]})
