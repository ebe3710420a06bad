"""CodeBuild: projects keep everything they are made with, and report groups exist.

AWS: CreateProject, UpdateProject and AWS::CodeBuild::Project take the cache, the limit of builds at once, the logs and the
limits of time; an update of the stack takes away what the template no longer has. Ref of a report group is its ARN.
ministack 1.5.33: forgets these fields, and on update leaves what was there; knows no report groups.
Override: the fields are added to the project, as API and as template; the type of report groups.
Not restored: VpcConfig, which means nothing here.
"""

import json

from ministack.core.responses import json_response
from ministack.services import codebuild
from ministack.services.cloudformation import provisioners

import build_reports
import wrapping

FIELDS = ("cache", "concurrentBuildLimit", "logsConfig", "queuedTimeoutInMinutes")
# What a project has of a field that the template does not have.
DEFAULTS = {
    "Description": "",
    "SourceVersion": "",
    "TimeoutInMinutes": 60,
    "Artifacts": {"Type": "NO_ARTIFACTS"},
}
TYPE = "AWS::CodeBuild::Project"
handlers = provisioners._RESOURCE_HANDLERS.get(TYPE, {})
for operation in ("create", "update"):
    if handlers.get(operation) is not getattr(provisioners, f"_codebuild_project_{operation}", None):
        raise wrapping.OverrideDoesNotFit(f"{TYPE} has no {operation} of the expected name")
to_api = wrapping.require(provisioners, "_codebuild_cfn_to_api", "value")


@wrapping.wrap(codebuild, "_project_shape", "project")
def shape(original, project):
    return {**original(project), **{field: project[field] for field in FIELDS if field in project}}


def keep(answer, fields: dict):
    """Adds fields of the request to the project that the answer tells of."""
    if answer[0] != 200:
        return answer
    project = codebuild._projects[json.loads(answer[2])["project"]["name"]]
    project.update(fields)
    return json_response({"project": codebuild._project_shape(project)})


@wrapping.wrap(codebuild, "_create_project", "data")
def create_project(create, data):
    return keep(create(data), {field: data[field] for field in FIELDS if field in data})


@wrapping.wrap(codebuild, "_update_project", "data")
def update_project(update, data):
    return keep(update(data), {field: data[field] for field in FIELDS if field in data})


def complete(result, props: dict):
    project = codebuild._projects[result[0]]
    for field in FIELDS:
        project.pop(field, None)
        name = field[0].upper() + field[1:]
        if name in props:
            project[field] = to_api(props[name])
    for field in ("concurrentBuildLimit", "queuedTimeoutInMinutes"):
        if field in project:
            project[field] = int(project[field])
    return result


@wrapping.wrap(provisioners, "_codebuild_project_create", "logical_id", "props", "stack_name")
def create_resource(create, logical_id, props, stack_name):
    return complete(create(logical_id, props, stack_name), props)


@wrapping.wrap(provisioners, "_codebuild_project_update", "physical_id", "old_props", "new_props", "stack_name")
def update_resource(update, physical_id, old_props, new_props, stack_name):
    whole = {**{name: default for name, default in DEFAULTS.items() if name in old_props}, **new_props}
    return complete(update(physical_id, old_props, whole, stack_name), new_props)


handlers.update(create=create_resource, update=update_resource)


def create_group(logical_id, props, stack_name):
    name = props.get("Name") or f"{stack_name}-{logical_id}"
    arn = build_reports.ensure_group(name, props.get("Type", "TEST"))
    return arn, {"Arn": arn}


def update_group(physical_id, _old_props, _new_props, _stack_name):
    return physical_id, {"Arn": physical_id}


def delete_group(physical_id, _props):
    build_reports.groups.pop(physical_id, None)


if "AWS::CodeBuild::ReportGroup" in provisioners._RESOURCE_HANDLERS:
    raise wrapping.OverrideDoesNotFit("AWS::CodeBuild::ReportGroup exists")
provisioners._RESOURCE_HANDLERS["AWS::CodeBuild::ReportGroup"] = {
    "create": create_group,
    "update": update_group,
    "delete": delete_group,
}
