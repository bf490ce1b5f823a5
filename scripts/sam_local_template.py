"""Writes the template that `sam local` runs: template.yaml with built functions in place of sources.

    sam_local_template.py template.yaml .aws-sam/build/template.yaml x86_64

Prints one line for each function: its logical id and its binary. Runs on the Python that `scripts/sam-tools` installs.
"""

import sys

from samcli.yamlhelper import yaml_dump, yaml_parse

# `sam local` passes on only what the template names, so what points the AWS SDK at this machine must stand there.
FOR_THIS_MACHINE = {
    f"AWS_ENDPOINT_URL_{service}": "" for service in ("DYNAMODB", "SQS", "S3", "SECRETS_MANAGER")
}


def main(source, destination, architecture):
    with open(source, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    shared = template["Globals"]["Function"]
    del shared["CodeUri"]
    shared["Architectures"] = [architecture]
    shared.setdefault("Environment", {}).setdefault("Variables", {}).update(FOR_THIS_MACHINE)
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = name
            print(name, resource.pop("Metadata")["BuildProperties"]["Binary"])
    with open(destination, "w", encoding="utf-8") as file:
        file.write(yaml_dump(template))


if __name__ == "__main__":
    main(*sys.argv[1:])
