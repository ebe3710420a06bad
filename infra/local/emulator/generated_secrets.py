"""CloudFormation: what GenerateSecretString makes is a password as the template asks for it.

AWS: `ExcludePunctuation`, `ExcludeNumbers`, `ExcludeLowercase` and `ExcludeUppercase` keep whole classes of characters out,
numbers may come as text, and what cannot be guessed is made by a generator fit for it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-secretsmanager-secret-generatesecretstring.html
ministack 1.5.33: knows `ExcludeCharacters` only, fails on a length that is text, hides a template that is no JSON, and asks
Python's `random`, whose numbers can be foretold.
Override: the string is made by ministack's own GetRandomPassword, which knows all of it, and put into the template here.
"""

import json

from ministack.services import secretsmanager
from ministack.services.cloudformation import provisioners

import wrapping

get_random_password = wrapping.require(secretsmanager, "_get_random_password", "data")
SWITCHES = (
    *("ExcludeLowercase", "ExcludeNumbers", "ExcludePunctuation", "ExcludeUppercase"),
    *("IncludeSpace", "RequireEachIncludedType"),
)


@wrapping.wrap(provisioners, "_sm_secret_string", "props")
def secret_string(original, props):
    asked = props.get("GenerateSecretString")
    if not asked or props.get("SecretString"):
        return original(props)
    # A template may write numbers and switches as text.
    switches = {name: str(asked[name]).lower() == "true" for name in SWITCHES if name in asked}
    length = int(asked.get("PasswordLength", 32))
    wanted = {"PasswordLength": length, "ExcludeCharacters": asked.get("ExcludeCharacters", ""), **switches}
    status, _headers, body = get_random_password(wanted)
    answer = json.loads(body)
    if status != 200:
        raise ValueError(f"GenerateSecretString: {answer['message']}")
    template, key = asked.get("SecretStringTemplate"), asked.get("GenerateStringKey")
    if (template is None) != (key is None):
        raise ValueError("GenerateSecretString: SecretStringTemplate and GenerateStringKey are given together or not at all")
    password = answer["RandomPassword"]
    return password if template is None else json.dumps({**json.loads(template), key: password})
