#!/usr/bin/env python3
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""The documents say what the code does: topology keys, reason codes, verbs and options.

    Tests/Gate/documents.py           compare
    Tests/Gate/documents.py --write   write the generated part of Documentation/reference.md
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "Documentation" / "reference.md"
SCHEMA = ROOT / "Topologies" / "topology.schema.json"
REASONS = ROOT / "Sources" / "TributaryCore" / "ReasonCode.swift"
BINARY = Path(os.environ.get("TRIBUTARY_BINARY", ROOT / ".build" / "debug" / "tributary"))
KEYS = re.compile(r"(?<=<!-- keys: begin -->\n).*?(?=<!-- keys: end -->)", re.DOTALL)
COMMAND = re.compile(r"(?:^|&& )(?:\.build\S*/)?tributary (?P<words>[^\n|&;#]*)", re.MULTILINE)
ROWS_WORTH_A_REFERENCE = 4


def value_text(schema):
    """What may stand under a key, in a few words."""
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if "oneOf" in schema:
        return "one of the kinds below"
    if "anyOf" in schema:
        return " or ".join(value_text(part) for part in schema["anyOf"])
    if "examples" in schema:
        return f"like `{schema['examples'][0]}`"
    kind = schema.get("type")
    if kind == "integer":
        return f"integer from {schema['minimum']}" + (f" to {schema['maximum']}" if schema["maximum"] < 1 << 62 else "")
    if kind == "string" and "pattern" in schema:
        return "address" if "tcp" in schema["pattern"] else "duration"
    if kind == "array":
        items = schema.get("items", {})
        return "list" if {"properties", "oneOf"} & items.keys() or not items else f"list of {value_text(items)}"
    return {"string": "text", "number": "number", "boolean": "truth value", "object": "mapping"}.get(kind, "value")


def rows(schema, seen, path=""):
    """The table's rows (path, value, meaning) of a mapping's keys, depth first.

    What stands in several places is listed at the first; `seen` holds where that was.
    """
    found = []
    for name, part in schema.get("properties", {}).items():
        if name == "kind" and "const" in part:
            continue
        here = f"{path}.{name}" if path else name
        required = " **required**" if name in schema.get("required", []) else ""
        inner = nested(part, seen, here)
        text = identity(part)
        meaning = part.get("description", "") + required
        if len(inner) >= ROWS_WORTH_A_REFERENCE and text in seen:
            meaning, inner = meaning + f" Keys as in `{seen[text]}`.", []
        seen.setdefault(text, here)
        found.append((here, value_text(part), meaning))
        found += inner
    return found


def identity(schema):
    return json.dumps({name: part for name, part in schema.items() if name != "description"})


def nested(part, seen, here):
    if "anyOf" in part:
        return [row for one in part["anyOf"] for row in nested(one, seen, here)]
    if "oneOf" in part:
        found, first = [], part["oneOf"][0]["properties"]
        # What every kind has alike is listed once.
        shared = {
            name: schema
            for name, schema in first.items()
            if name != "kind" and all(variant["properties"].get(name) == schema for variant in part["oneOf"])
        }
        for variant in part["oneOf"]:
            if "kind" not in variant["properties"]:
                found += actions(variant, shared, seen, here)
                continue
            kind = variant["properties"]["kind"]["const"]
            found.append((f"{here}.kind", f"`{kind}`", variant.get("description", "")))
            own = {name: schema for name, schema in variant["properties"].items() if name not in shared}
            found += rows({**variant, "properties": own}, seen, case(here, kind))
        return found + rows({"properties": shared}, seen, here)
    if part.get("type") == "array" and not part.get("items", {}).keys().isdisjoint(("properties", "oneOf")):
        if "oneOf" in part["items"]:
            return nested(part["items"], seen, here + "[]")
        return rows(part["items"], seen, here + "[]")
    if isinstance(part.get("additionalProperties"), dict):
        seen.setdefault(identity(part["additionalProperties"]), here + ".NAME")
        return rows(part["additionalProperties"], seen, here + ".NAME")
    return rows(part, seen, here)


def actions(variant, shared, seen, here):
    """Rows of a mapping that its first key tells from its kin."""
    first, *others = (name for name in variant["properties"] if name not in shared)
    found = [(f"{here}.{first}", value_text(variant["properties"][first]), variant.get("description", ""))]
    inner = {name: variant["properties"][name] for name in others}
    return found + rows({**variant, "properties": inner}, seen, case(here, first))


def case(path, name):
    """The path of one kind of what stands at a path; brackets before its parenthesis would read as a link."""
    return f"{path.removesuffix('[]')}({name})"


def keys_text(schema):
    lines = ["", "| key | value | meaning |", "|---|---|---|"]
    lines += [f"| `{path}` | {value} | {meaning} |" for path, value, meaning in rows(schema, {})]
    return "\n".join(lines) + "\n\n"


def check_keys(write):
    text = REFERENCE.read_text()
    wanted = KEYS.sub(lambda _: keys_text(json.loads(SCHEMA.read_text())), text)
    if wanted == text:
        return []
    if write:
        REFERENCE.write_text(wanted)
        return []
    return ["Documentation/reference.md:1: keys: differs from the schema; run Tests/Gate/documents.py --write"]


def check_reasons():
    codes = set(re.findall(r'case \w+ = "([^"]+)"', REASONS.read_text()))
    section = REFERENCE.read_text().split("## Reason codes")[1].split("\n## ")[0]
    written = set(re.findall(r"^\| `([a-z_.]+)` \|", section, re.MULTILINE))
    missing = [f"Documentation/reference.md:1: reasons: {code} is not described" for code in sorted(codes - written)]
    extra = [f"Documentation/reference.md:1: reasons: {code} does not exist" for code in sorted(written - codes)]
    return missing + extra


def documents():
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "*.md", "Deploy/*.service", "Makefile"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.split("\n") if name and (ROOT / name).exists()]


def commands(text):
    """The command lines of `tributary` in a document's shell blocks: (line, words)."""
    if "```" in text:
        blocks = [(match.start(1), match.group(1)) for match in re.finditer(r"```sh\n(.*?)```", text, re.DOTALL)]
    else:
        blocks = [(0, re.sub(r"^\S*(?:ExecStart=\S+ )", "", text, flags=re.MULTILINE))]
    found = []
    for start, block in blocks:
        for match in COMMAND.finditer(block):
            line = text.count("\n", 0, start) + block.count("\n", 0, match.start("words")) + 1
            found.append((line, match.group("words").split()))
    return found


class CommandLine:
    """What the built binary's help says about each verb."""

    def __init__(self):
        self.texts = {}

    def help(self, *verbs):
        if verbs not in self.texts:
            done = subprocess.run([BINARY, *verbs, "--help"], capture_output=True, text=True, check=False)
            self.texts[verbs] = done.stdout if done.returncode == 0 else None
        return self.texts[verbs]

    def has(self, verb, text):
        """Whether a help text lists a subcommand."""
        listed = text.partition("SUBCOMMANDS:")[2]
        return re.search(rf"^  {re.escape(verb)}\b", listed, re.MULTILINE) is not None

    def complaint(self, words):
        """Why a command line cannot work, or None."""
        text, verbs = self.help(), []
        while words and text is not None and self.has(words[0], text):
            verbs.append(words.pop(0))
            text = self.help(*verbs)
        if text is None:
            return f"'tributary {' '.join(verbs)} --help' fails"
        if not verbs and words and not words[0].startswith("-"):
            return f"there is no verb '{words[0]}'"
        for option in [word.split("=")[0] for word in words if word.startswith("--")]:
            if re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text) is None:
                return f"'tributary {' '.join(verbs)}' has no option {option}"
        return None


def check_commands():
    line_reader, found, count = CommandLine(), [], 0
    for name in documents():
        for line, words in commands((ROOT / name).read_text()):
            count += 1
            complaint = line_reader.complaint(words)
            if complaint:
                found.append(f"{name}:{line}: command: {complaint}")
    listed = REFERENCE.read_text().split("## Command line")[1].split("\n## ")[0]
    for verb in re.findall(r"^\| `([a-z]+)[^`]*` \|", listed, re.MULTILINE):
        count += 1
        if not line_reader.has(verb, line_reader.help() or ""):
            found.append(f"Documentation/reference.md:1: command: there is no verb '{verb}'")
    return found, count


def main(arguments):
    found = check_keys("--write" in arguments) + check_reasons()
    if "--write" not in arguments:
        complaints, count = check_commands()
        found += complaints
        print(f"gate: {count} commands")
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
