"""CloudFormation: Ref of a secret is its ARN.

AWS: "Ref returns the ARN of the secret" (AWS::SecretsManager::Secret, Return values).
ministack 1.5.33: Ref is the secret's name, so everything that must be an ARN by its pattern, or is granted by ARN, differs.
Override: the resource's physical id is the ARN; ministack's own functions still get the name.
"""

from ministack.services import secretsmanager
from ministack.services.cloudformation import provisioners

import wrapping

TYPE = "AWS::SecretsManager::Secret"
handlers = provisioners._RESOURCE_HANDLERS.get(TYPE, {})
for operation in ("create", "update", "delete"):
    if handlers.get(operation) is not getattr(provisioners, f"_sm_secret_{operation}", None):
        raise wrapping.OverrideDoesNotFit(f"{TYPE} has no {operation} of the expected name")


def name_of(arn: str) -> str:
    return next((name for name, secret in secretsmanager._secrets.items() if secret["ARN"] == arn), arn)


def with_arn(result):
    _name, attributes = result
    return attributes["Arn"], attributes


@wrapping.wrap(provisioners, "_sm_secret_create", "logical_id", "props", "stack_name")
def create(original, *arguments):
    return with_arn(original(*arguments))


@wrapping.wrap(provisioners, "_sm_secret_update", "physical_id", "old_props", "new_props", "stack_name")
def update(original, physical_id, *arguments):
    return with_arn(original(name_of(physical_id), *arguments))


@wrapping.wrap(provisioners, "_sm_secret_delete", "physical_id", "props")
def delete(original, physical_id, *arguments):
    return original(name_of(physical_id), *arguments)


handlers.update(create=create, update=update, delete=delete)
