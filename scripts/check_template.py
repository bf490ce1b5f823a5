"""Checks what SAM makes of template.yaml: rights that nobody wrote down come by its transform.

    check_template.py template.yaml

Prints what is wrong, one line each; with nothing to print all is well. Runs on the Python that `scripts/sam-tools` installs.
"""

import sys

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

# What SAM asks IAM for by name. Whatever of it turns up in the answer is a right on everything.
MANAGED = {
    name: f"arn:aws:iam::aws:policy/service-role/{name}"
    for name in ("AWSLambdaBasicExecutionRole", "AWSLambdaSQSQueueExecutionRole", "AWSLambdaDynamoDBExecutionRole")
}


class ManagedPolicies:
    def load(self):
        return MANAGED


def statements(document):
    found = document.get("Statement", [])
    return found if isinstance(found, list) else [found]


def listed(value):
    return value if isinstance(value, list) else [value]


def problems(template):
    template["Globals"]["Function"]["CodeUri"] = "s3://built/functions.zip"
    resources = transform(template, {}, ManagedPolicies())["Resources"]

    def of(kind):
        return {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == kind}

    own_policies = of("AWS::IAM::ManagedPolicy")
    roles = of("AWS::IAM::Role")
    for name, role in roles.items():
        for arn in role.get("ManagedPolicyArns", []):
            if not (isinstance(arn, dict) and arn.get("Ref") in own_policies):
                yield f"{name} has {arn}, which is not written down here"
    documents = [(name, policy["PolicyDocument"]) for name, policy in own_policies.items()]
    documents += [(name, policy["PolicyDocument"]) for name, role in roles.items() for policy in role.get("Policies", [])]
    for name, document in documents:
        for statement in statements(document):
            if "*" in listed(statement["Resource"]) or any("*" in action for action in listed(statement["Action"])):
                yield f"{name} reaches everything: {statement}"

    def readable(role):
        """The queues of which a role allows to receive."""
        policies = [policy["PolicyDocument"] for policy in role.get("Policies", [])]
        policies += [own_policies[arn["Ref"]]["PolicyDocument"] for arn in role.get("ManagedPolicyArns", []) if "Ref" in arn]
        all_statements = [statement for document in policies for statement in statements(document)]
        return [
            resource
            for statement in all_statements
            if "sqs:ReceiveMessage" in listed(statement["Action"])
            for resource in listed(statement["Resource"])
        ]

    fed = {}
    for source in of("AWS::Lambda::EventSourceMapping").values():
        fed.setdefault(source["FunctionName"]["Ref"], []).append(source["EventSourceArn"])
    for name, function in of("AWS::Lambda::Function").items():
        role = function["Role"].get("Fn::GetAtt", [None])[0]
        queues = [arn for arn in fed.get(name, []) if arn["Fn::GetAtt"][1] == "Arn"]
        if readable(roles[role]) != queues:
            yield f"{name} is fed by {queues} and may read {readable(roles[role])}"


def main(path):
    with open(path, encoding="utf-8") as file:
        found = list(problems(yaml_parse(file.read())))
    print("\n".join(found))
    sys.exit(bool(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
