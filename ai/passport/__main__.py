"""`python -m ai.passport` prints the JSON Schema that `configs/passport.schema.json` is a copy of."""

import sys

import msgspec

from ai.passport.records import json_schema

if __name__ == "__main__":
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(json_schema()), indent=2).decode() + "\n")
