"""The environment that ministack and the functions it runs see.

On AWS a function sees its own variables and an empty /tmp, and the service is reachable only as its network allows.
ministack listens on all interfaces, opens an MQTT port, gives functions the whole environment it was started with, and
leaves their folders in the system's temp folder.
"""

import os

import wrapping


def prepare(port: int, directory: str, node_modules: str) -> None:
    """Must run before ministack is imported."""
    wrapping.require_version()
    temporary = os.path.join(directory, "tmp")
    os.makedirs(temporary, exist_ok=True)
    # Functions are unpacked below this folder and started as CommonJS; the project's own package.json further up says
    # "type": "module", which would end every one of them at once and without a message.
    with open(os.path.join(temporary, "package.json"), "w") as file:
        file.write("{}")
    os.environ.update(
        GATEWAY_PORT=str(port),
        BIND_HOST="127.0.0.1",
        # In addresses that ministack gives out (queue URLs, response URLs). Its own default, localhost, is ::1 first on
        # many machines, where nothing listens, and makes the S3 client look up <bucket>.localhost.
        MINISTACK_HOST="127.0.0.1",
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        TMPDIR=temporary,
        STATE_DIR=os.path.join(temporary, "state"),
        # The CDK's own functions (custom resources) expect the AWS SDK of the Lambda runtime.
        NODE_PATH=node_modules,
    )
