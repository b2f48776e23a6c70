#!/usr/bin/env python3
"""Extracts from botocore what AWS's APIs say of the members that the program sets, and writes shapes.json.

Run it after a change of inputs.json, or to move to a newer botocore:

    python3 -m venv /tmp/botocore && /tmp/botocore/bin/pip install botocore==1.44.8
    /tmp/botocore/bin/python test/support/aws-api/extract.py

inputs.json maps each input of a Pulumi resource to "<service>.<Operation>.<member path>"; "[]" stands for the elements of
a list, "{}" and "{key}" for the values and keys of a map, "{Name}" for one value of a map. Values that start with
"provider:" are not sent to AWS.
"""

import gzip
import json
import re
from pathlib import Path

import botocore

HERE = Path(__file__).parent
VERSION = "1.44.8"
CONSTRAINTS = ("type", "min", "max", "pattern", "enum")


def model_of(service):
    folder = Path(botocore.__file__).parent / "data" / service
    newest = sorted(folder.iterdir())[-1]
    return json.loads(gzip.decompress((newest / "service-2.json.gz").read_bytes()))


LIMITING = re.compile(r"must|can't|cannot|valid values|possible values|up to|maximum|no more than|two or more", re.I)


def limits_in(documentation, key):
    """The sentences that limit a value; of the text about a map, the part about one key."""
    text = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", documentation)).strip()
    if key:
        about = re.search(rf"{key} – .*?(?= \w+ – |$)", text)
        text = about.group(0) if about else ""
    return " ".join(sentence for sentence in re.split(r"(?<=\.) ", text) if LIMITING.search(sentence))


def constraints(shape, documentation, key=None):
    found = {name: shape[name] for name in CONSTRAINTS if name in shape}
    # What the model does not say, the text may: documented.ts quotes it.
    if shape["type"] != "map" and "enum" not in found:
        text = limits_in(f"{documentation} {shape.get('documentation', '')}", key)
        if text:
            found["documentation"] = text
    return found


def walk(model, operation, path):
    """Yields the path and the constraints of a member, and of every list and map on the way to it."""
    name, documentation = model["operations"][operation]["input"]["shape"], ""
    shape, reached = model["shapes"][name], operation
    for step in re.findall(r"[^.\[\]{}]+|\[\]|\{[^}]*\}", path):
        if shape["type"] in ("list", "map"):
            yield reached, constraints(shape, documentation)
        if step == "[]":
            reference = shape["member"]
        elif step.startswith("{"):
            reference = shape["key" if step == "{key}" else "value"]
            if step not in ("{}", "{key}"):
                keys = model["shapes"][shape["key"]["shape"]].get("enum")
                if keys and step[1:-1] not in keys:
                    raise SystemExit(f"{operation}.{path}: there is no key {step}")
                yield f"{reached}{step}", constraints(model["shapes"][reference["shape"]], documentation, step[1:-1])
                return
        elif step in shape.get("members", {}):
            reference = shape["members"][step]
        else:
            raise SystemExit(f"{operation}.{path}: there is no member {step}")
        reached += step if step[0] in "[{" else f".{step}"
        documentation = reference.get("documentation", "")
        shape = model["shapes"][reference["shape"]]
    yield reached, constraints(shape, documentation)


def main():
    if botocore.__version__ != VERSION:
        raise SystemExit(f"botocore is {botocore.__version__}, and this extract is of {VERSION}: change VERSION with it")
    inputs = json.loads((HERE / "inputs.json").read_text())
    members = {api for mapped in inputs.values() for api in mapped.values() if not api.startswith("provider:")}
    models, shapes, required = {}, {}, {}
    for member in sorted(members):
        service, operation, path = member.split(".", 2)
        model = models.setdefault(service, model_of(service))
        for reached, found in walk(model, operation, path):
            shapes[f"{service}.{reached}"] = found
        top = model["shapes"][model["operations"][operation]["input"]["shape"]]
        required[f"{service}.{operation}"] = top.get("required", [])
    extract = {
        "source": f"https://pypi.org/project/botocore/{VERSION}/, botocore/data/<service>/<version>/service-2.json.gz",
        "required": required,
        "shapes": dict(sorted(shapes.items())),
    }
    (HERE / "shapes.json").write_text(json.dumps(extract, indent=2, ensure_ascii=False) + "\n")


main()
