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


def value_text(schema):
    """What may stand under a key, in a few words."""
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if "oneOf" in schema:
        return "one of the kinds below"
    if "anyOf" in schema:
        return ", or ".join(value_text(part) for part in schema["anyOf"])
    kind = schema.get("type")
    if kind == "integer":
        return f"integer from {schema['minimum']}" + (f" to {schema['maximum']}" if schema["maximum"] < 1 << 62 else "")
    if kind == "string" and "pattern" in schema:
        return "address" if "tcp" in schema["pattern"] else "duration"
    if kind == "array":
        items = schema.get("items", {})
        return "list" if "properties" in items or not items else f"list of {value_text(items)}"
    return {"string": "text", "number": "number", "boolean": "truth value", "object": "mapping"}.get(kind, "value")


def rows(schema, path=""):
    """The table's rows (path, value, meaning) of a mapping's keys, depth first."""
    found = []
    for name, part in schema.get("properties", {}).items():
        if name == "kind" and "const" in part:
            continue
        here = f"{path}.{name}" if path else name
        required = " **required**" if name in schema.get("required", []) else ""
        found.append((here, value_text(part), part.get("description", "") + required))
        found += nested(part, here)
    return found


def nested(part, here):
    if "anyOf" in part:
        return [row for choice in part["anyOf"] for row in nested(choice, here)]
    if "oneOf" in part.get("items", {}):
        return nested(part["items"], here)
    if "oneOf" in part:
        found, first = [], part["oneOf"][0]["properties"]
        # What every kind has alike is listed once.
        shared = {
            name: schema
            for name, schema in first.items()
            if name != "kind" and all(variant["properties"].get(name) == schema for variant in part["oneOf"])
        }
        for variant in part["oneOf"]:
            kind = variant["properties"]["kind"]["const"]
            found.append((f"{here}.kind", f"`{kind}`", variant.get("description", "")))
            own = {name: schema for name, schema in variant["properties"].items() if name not in shared}
            found += rows({**variant, "properties": own}, f"{here}({kind})")
        return found + rows({"properties": shared}, here)
    if part.get("type") == "array" and "properties" in part.get("items", {}):
        return rows(part["items"], here + "[]")
    if isinstance(part.get("additionalProperties"), dict):
        return rows(part["additionalProperties"], here + ".NAME")
    return rows(part, here)


def keys_text(schema):
    lines = ["", "| key | value | meaning |", "|---|---|---|"]
    lines += [f"| `{path}` | {value} | {meaning} |" for path, value, meaning in rows(schema)]
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
