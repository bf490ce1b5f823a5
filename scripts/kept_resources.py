"""Prepares a new stack's taking over of what a deleted one left: its table, its bucket and its sealing secret.

    kept_resources.py template.yaml .aws-sam <table> <bucket> <secret's ARN>

Writes `kept.json`, the part of the template that holds these alone, and `import.json`, which says what is what, into the
folder. docs/OPERATIONS.md says what to do with them. Runs on the Python that `scripts/sam-tools` installs.
"""

import json
import pathlib
import sys

from samcli.yamlhelper import yaml_parse

IDENTIFIERS = {"AWS::DynamoDB::Table": "TableName", "AWS::S3::Bucket": "BucketName", "AWS::SecretsManager::Secret": "Id"}


def main(source, folder, table, bucket, secret):
    template = yaml_parse(pathlib.Path(source).read_text(encoding="utf-8"))
    kept = {
        name: resource
        for name, resource in template["Resources"].items()
        if resource.get("DeletionPolicy") == "RetainExceptOnCreate"
    }
    names = dict(zip(IDENTIFIERS, [table, bucket, secret]))
    imports = [
        {
            "ResourceType": resource["Type"],
            "LogicalResourceId": name,
            "ResourceIdentifier": {IDENTIFIERS[resource["Type"]]: names[resource["Type"]]},
        }
        for name, resource in kept.items()
    ]
    part = {key: template[key] for key in ("AWSTemplateFormatVersion", "Parameters", "Conditions")} | {"Resources": kept}
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    for name, content in (("kept.json", part), ("import.json", imports)):
        (folder / name).write_text(json.dumps(content, indent=2, default=str), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
