# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Reading source text: code without its comments and strings, functions and their lengths, the manifest's rooms."""

import ast
import re
from dataclasses import dataclass, field


def blank(text):
    """The text with every character but line ends replaced by a space."""
    return re.sub(r"[^\n]", " ", text)


_TOKEN = re.compile(
    r"""
      (?P<line>//[^\n]*)
    | (?P<open>/\*)
    | (?P<raw>(?P<hashes>\#+)(?P<quotes>\"{3}|\").*?(?P=quotes)(?P=hashes))
    | (?P<triple>\"{3}(?:\\.|[^\\])*?\"{3})
    | (?P<string>\"(?:\\.|[^"\\\n])*\")
    """,
    re.VERBOSE | re.DOTALL,
)


def code_only(source):
    """Swift or C source of the same length and lines, with comments and the insides of strings blanked."""
    out, position = [], 0
    while True:
        token = _TOKEN.search(source, position)
        if token is None:
            out.append(source[position:])
            return "".join(out)
        out.append(source[position : token.start()])
        end = _comment_end(source, token.end()) if token.lastgroup == "open" else token.end()
        out.append(blank(source[token.start() : end]))
        position = end


def _comment_end(source, position):
    """Where a block comment that has begun ends; Swift's block comments nest."""
    depth = 1
    for mark in re.finditer(r"/\*|\*/", source[position:]):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return position + mark.end()
    return len(source)


def line_of(text, offset):
    """The 1-based line of an offset."""
    return text.count("\n", 0, offset) + 1


@dataclass
class Function:
    name: str
    line: int
    line_count: int


_SWIFT_FUNCTION = re.compile(r"(?<![.\w`])(?:func\s+(?P<name>[^\s(<]+)|(?P<other>init|deinit|subscript))(?=[\s?!(<{])")
_SWIFT_STOP = re.compile(
    r"[({})]|\b(?:func|var|let|struct|enum|class|actor|case|extension|protocol|deinit|subscript|import|typealias)\b"
)


def swift_functions(code):
    """The functions with a body in code that `code_only` returned."""
    found = []
    for match in _SWIFT_FUNCTION.finditer(code):
        body = _body_start(code, match.end())
        if body is not None:
            found.append(_function(code, match.group("name") or match.group("other"), match.start(), body))
    return found


def _body_start(code, position):
    depth = 0
    for stop in _SWIFT_STOP.finditer(code, position):
        token = stop.group()
        if token == "(":
            depth += 1
        elif token == ")":
            depth -= 1
        elif depth == 0:
            return stop.start() if token == "{" else None
        if depth < 0:
            return None
    return None


_C_FUNCTION = re.compile(r"^(?!\s|#|typedef|struct|enum|union)[^\n;{}=]*?(\w+)\s*\([^;{}]*\)\s*\{", re.MULTILINE)


def c_functions(code):
    """The functions defined at the top level of C code that `code_only` returned."""
    return [_function(code, match.group(1), match.start(), match.end() - 1) for match in _C_FUNCTION.finditer(code)]


def _function(code, name, start, body):
    depth, end = 0, len(code)
    for brace in re.finditer(r"[{}]", code[body:]):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            end = body + brace.end()
            break
    first = line_of(code, start)
    return Function(name, first, line_of(code, end - 1) - first + 1)


def python_functions(source):
    """The functions of a Python file; raises SyntaxError when it does not parse."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        Function(node.name, node.lineno, node.end_lineno - node.lineno + 1)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, kinds)
    ]


@dataclass
class Room:
    """One target of the manifest."""

    name: str
    kind: str
    position: int
    line: int
    doors: list = field(default_factory=list)


_TARGET = re.compile(r"(?P<kind>\broom|\btests|\.target|\.systemLibrary|\.executableTarget|\.testTarget)\s*\(")


def manifest_rooms(source):
    """The targets of Package.swift in their order, with what each may import.

    Reads the manifest's text, so that the rules need no Swift toolchain: names are string literals, and a product is
    imported by its own name.
    """
    bare = re.sub(r"//[^\n]*", lambda comment: blank(comment.group()), source)
    start = bare.find("targets: [\n")
    rooms = {}
    for match in _TARGET.finditer(bare, max(start, 0)):
        text = bare[match.end() : _closing(bare, match.end())]
        name = re.search(r'"([^"]+)"', text)
        if name is None:
            continue
        room = Room(name.group(1), match.group("kind").lstrip("."), len(rooms), line_of(bare, match.start()))
        listed = re.search(r"\[(.*)\]", _without_settings(text[name.end() :]), re.DOTALL)
        doors = re.sub(r'package:\s*"[^"]*"', "", listed.group(1) if listed else "")
        room.doors = re.findall(r'"([^"]+)"', doors)
        rooms[room.name] = room
    return rooms


def _without_settings(text):
    return re.split(r"\b(?:linkerSettings|cSettings|swiftSettings|resources|exclude)\s*:", text)[0]


def _closing(text, position):
    depth = 1
    for mark in re.finditer(r"[()]", text[position:]):
        depth += 1 if mark.group() == "(" else -1
        if depth == 0:
            return position + mark.start()
    return len(text)
