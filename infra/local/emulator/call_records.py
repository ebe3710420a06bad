"""IAM: policies are enforced, and what each role of a stack calls is written down.

AWS: every call is checked against the policies of the role it is made under; builds have a session of their project's role;
BatchGetBuilds is checked on the project, GetLogEvents on the stream, and SendMessageBatch is the action sqs:SendMessage.
Policies may demand TLS.
ministack 1.5.33: checks only with AUTH=true, and then what comes as a request, the functions' calls; it knows no project or
stream in these two and takes SendMessageBatch for an action, and nobody on this machine speaks TLS. What a service does for a
role (the Tasks of state machines) goes past the check.
Override, only with --record-calls: AUTH is on, builds have a session, these actions have their resource and name, and a
request counts as secure. A line of JSON for each resource that a stack makes ({made, id, arn}), for each call of a function
or build and for each Task ({role, action, resource}, the names of IAM).
Not restored: checks of what services do. A test judges the lines instead (test/e2e/least-privilege.test.ts).
"""

import contextvars
import hashlib
import json
import os
import threading


def prepare(file: "str | None") -> None:
    """Must run before ministack is imported: its module reads the environment while it loads."""
    if file is not None:
        os.environ["AUTH"] = "true"


def put_in_place(file: str) -> None:
    from ministack import app
    from ministack.core import iam_actions, iam_evaluator, lambda_runtime
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import codebuild, stepfunctions, sts
    from ministack.services.cloudformation import provisioners, stacks

    import build_environment
    import wrapping
    from execution_run import current

    lines = open(file, "w", encoding="utf-8", buffering=1)
    lock = threading.Lock()
    written = set()

    def write(**fields: str) -> None:
        """Each line once: a thousand batches make the same calls."""
        line = json.dumps(fields)
        with lock:
            if line not in written:
                written.add(line)
                lines.write(line + "\n")

    def arn(service: str, resource: str) -> str:
        return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{resource}"

    def provision(make, resource_type, logical_id, *arguments, **named):
        made = make(resource_type, logical_id, *arguments, **named)
        write(made=logical_id, id=made[0], arn=made[1].get("Arn", made[0]))
        return made

    for module in (provisioners, stacks):
        wrapping.wrap(module, "_provision_resource", "resource_type", "logical_id")(provision)

    # Of what no request began: a schedule, an alarm.
    iam_evaluator._request_origin = contextvars.ContextVar("request origin", default=("127.0.0.1", True))

    @wrapping.wrap(app, "pin_request_origin", "source_ip", "secure_transport")
    def count_as_secure(pin, source_ip, _secure_transport):
        return pin(source_ip, True)

    @wrapping.wrap(iam_actions, "extract_resource_arn", "service", "method", "path", "headers", "body")
    def name_resource(name, service, method, path, headers, body, *arguments):
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action == "BatchGetBuilds" and (ids := json.loads(body).get("ids")):
            return arn("codebuild", f"project/{ids[0].removeprefix(arn('codebuild', 'build/')).partition(':')[0]}")
        found = name(service, method, path, headers, body, *arguments)
        if action == "GetLogEvents":
            return f"{found}:log-stream:{json.loads(body).get('logStreamName', '')}"
        return found

    @wrapping.wrap(iam_actions, "extract_iam_action", "service")
    def name_action(name, service, *arguments):
        action = name(service, *arguments)
        return action.removesuffix("Batch") if service == "sqs" and action else action

    @wrapping.wrap(iam_evaluator, "enforce", "access_key_id", "iam_action", "service", "region", "resource_arn")
    def record(enforce, access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
        # Sessions of services only: those that the cdk CLI takes are the deployment's, of roles that no stack of ours makes.
        session = sts._sessions.get(access_key_id or "")
        if session is not None and access_key_id in of_services:
            write(role=session["Arn"].split("/")[1], action=iam_action, resource=resource_arn)
        return enforce(access_key_id, iam_action, service, region, resource_arn=resource_arn, service_context=service_context)

    of_services = set()

    @wrapping.wrap(lambda_runtime, "execution_credentials", "config")
    def note_session(make, config):
        credentials = make(config)
        of_services.add(credentials["AWS_ACCESS_KEY_ID"])
        return credentials

    @wrapping.wrap(build_environment, "basics", "build")
    def with_session(basics, build, *arguments):
        # ministack makes sessions of functions, and looks at no more than their ARN and role.
        name = f"build-{hashlib.sha256(build['arn'].encode()).hexdigest()[:16]}"
        function = {"FunctionArn": arn("lambda", f"function:{name}"), "FunctionName": name, "Role": build["serviceRole"]}
        return {**basics(build, *arguments), **lambda_runtime.execution_credentials(function)}

    @wrapping.wrap(stepfunctions, "_invoke_resource", "resource", "input_data")
    def record_task(invoke, resource, input_data):
        run = current.get()
        machine = stepfunctions._state_machines.get(run.execution["stateMachineArn"]) if run else None
        if machine is not None:
            role = machine["roleArn"].rpartition("/")[2]
            for action, target in calls_of(resource, input_data):
                write(role=role, action=action, resource=target)
        return invoke(resource, input_data)

    def calls_of(resource: str, given: dict) -> "list[tuple[str, str]]":
        integration = resource.removeprefix("arn:aws:states:::")
        if integration == "lambda:invoke":
            return [("lambda:InvokeFunction", given["FunctionName"])]
        if integration == "sns:publish":
            return [("sns:Publish", given["TopicArn"])]
        if integration == "states:startExecution":
            return [("states:StartExecution", given["StateMachineArn"])]
        if integration == "codebuild:startBuild.sync":
            project = codebuild._projects[codebuild._project_name_from_identifier(given["ProjectName"])]["arn"]
            return [("codebuild:StartBuild", project), ("codebuild:BatchGetBuilds", project)]
        # Whoever adds a kind of Task says here what it calls: as it is, no policy allows it.
        return [(integration, "*")]
