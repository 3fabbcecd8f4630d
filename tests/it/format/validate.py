#!/usr/bin/env python3
"""Judges documents by the JSON Schemas of config/schemas, for tests/it/format/schemas.rs.

    validate.py DIRECTORY < DOCUMENTS

DOCUMENTS are one JSON document a line; each answer is a line, "valid" or the first thing wrong. The
schema of a document is the one that its `type` names. First each schema is judged itself, by its
meta-schema; a schema that is none ends the program.
"""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

schemas = {
    path.name: json.loads(path.read_text()) for path in pathlib.Path(sys.argv[1]).glob("*.json")
}
for schema in schemas.values():
    Draft202012Validator.check_schema(schema)
registry = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in schemas.values()
)
for line in sys.stdin:
    document = json.loads(line)
    schema = schemas.get(f"{document['type']}.json")
    if schema is None:
        print(f"no schema {document['type']}.json")
        continue
    errors = Draft202012Validator(schema, registry=registry).iter_errors(document)
    first = min(errors, key=lambda error: error.json_path, default=None)
    print(f"{first.json_path}: {first.message}" if first else "valid")
