#!/usr/bin/env python3
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""The tidy rules: what the compiler and the formatter do not check.

Prints `file:line: rule: message` for every finding and exits 1 when there is one. `make tidy` runs it.

    Tests/Tidy/tidy.py [ROOT]
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from source import c_functions, code_only, line_of, manifest_rooms, python_functions, swift_functions

COPYRIGHT = "Copyright (c) 2026 the Tributary authors"
LICENCE = "SPDX-License-Identifier: Apache-2.0"
COLUMNS_MAX = 120
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600
FILE_BYTES_MAX = 1 << 20
ABSTRACT_CHARACTERS_MAX = 150

TOP_LEVEL = set(
    "Package.swift Package.resolved Sources Tests Proto Topologies Deploy .ci Documentation Clients README.md "
    "Makefile LICENSE CHANGELOG.md ARCHITECTURE.md CONTRIBUTING.md .gitignore .swift-format".split()
)
BANNED_NAMES = {"util", "utils", "helper", "helpers", "common", "extras", "manager", "base"}
BANNED_WORDS = re.compile(
    r"\bTODO\b(?!\s*\(#\d+\))|\bFIXME\b|\bXXX\b|\bHACK\b|(?i:\bfor now\b|\blorem ipsum\b|(?://|#).*\bplaceholder\b)"
)
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:home|root|work|Users|opt/swift)/[\w.-]+")

PURE = set(
    "TributaryRing TributaryCore TributaryTopology TributaryCodec TributaryAggregation TributaryPrivacy "
    "TributaryLearning TributaryProtocol TributaryPlanning TributaryReport".split()
)
# What a pure room may stand on, besides other pure rooms.
PURE_DOORS = {"CTributaryKernels"}
# Plans count bytes with the wire's own size functions, which are arithmetic; no other pure room knows frames.
PURE_EXCEPTIONS = {("TributaryPlanning", "TributaryWire")}
# Rooms that view bytes as values besides those with a C door: a digest's, a body's, a mapped file's, a read buffer's.
VIEWS_BYTES = {"TributaryCore", "TributaryCodec", "TributaryTopologyFile", "TributaryClient", "TributaryRuntime"}
# The rooms that wait: everything else decides or transforms, and returns.
ASYNC = {"TributaryBus", "TributaryClient", "TributaryRuntime", "TributaryCommands", "tributary"}
STANDARD_OUTPUT = {"TributaryCommands", "tributary"}
NEVER = {
    ("TributaryProtocol", "TributaryBus"),
    ("TributaryProtocol", "TributaryWire"),
    ("TributaryProtocol", "TributaryTopologyFile"),
    ("TributaryProtocol", "TributaryLearning"),
    ("TributarySimulation", "TributaryBus"),
}

WORLD_IN_PURE_ROOM = [
    (re.compile(r"\b(?:await|async)\b"), "a pure room does not wait"),
    (re.compile(r"\b(?:ContinuousClock|SuspendingClock|clock_gettime|gettimeofday)\b"), "a pure room has no clock"),
    (
        re.compile(r"\bSystemRandomNumberGenerator\b|\b(?:getrandom|arc4random\w*|srand|drand48)\s*\("),
        "a pure room has no randomness of its own; use CounterRandom",
    ),
    (
        re.compile(r"\.(?:random\s*\(\s*in:[^()]*\)|shuffled\(\)|shuffle\(\)|randomElement\(\))(?!.*using:)"),
        "a pure room has no randomness of its own; use CounterRandom",
    ),
    (
        re.compile(r"(?<![.\w])(?:fopen|fread|fwrite|socket|getenv|setenv|fork|printf|fputs|perror)\s*\("),
        "a pure room does not touch files, sockets or the environment",
    ),
]
UNSAFE = re.compile(r"\bUnsafe(?:Mutable)?(?:Raw)?(?:Buffer)?Pointer\b|\bwithUnsafe\w+|\bOpaquePointer\b")
PRINT = re.compile(r"(?<![.\w])(?:print|debugPrint|dump)\s*\(|\bstandardOutput\b|(?<![.\w])stdout\b|\bSTDOUT_FILENO\b")
BARE_TASK = re.compile(r"(?<![.\w])Task(?:\s*<[^{}()]*>)?\s*(?:\.\s*detached\b|\.\s*init\b|\(|\{)")
IMPORT = re.compile(
    r"^(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:package|public|internal|private|fileprivate)\s+)?import\s+"
    r"(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)",
    re.MULTILINE,
)
DECLARATION = re.compile(
    r"^[ \t]*(?:@\w+(?:\([^)\n]*\))?[ \t]+)*(?:package|public)(?:\([a-z]+\))?[ \t]+"
    r"(?P<modifiers>(?:(?:static|final|mutating|nonmutating|consuming|borrowing|indirect|lazy|override|nonisolated"
    r"|convenience|required|prefix|postfix|infix|private\(set\)|weak)[ \t]+)*)"
    r"(?P<kind>struct|enum|class|actor|protocol|typealias|func|subscript|var|let|macro)\b[ \t]*(?P<name>[^\s:(<={]*)",
    re.MULTILINE,
)
# Members that the standard library's protocols describe already.
WITNESSES = set(
    "description debugDescription errorDescription hash encode startIndex endIndex index makeIterator next "
    "configuration run validate rawValue hashValue id".split()
)
GENERATED = re.compile(r"^Sources/CTributaryWire/|\.pb-c\.[ch]$|_pb2\.pyi?$")
FIXTURE = re.compile(r"^Tests/(?!Tidy/|Gate/).*\.(?:yaml|yml|json|csv|txt)$|^Tests/.*/(?:Fixtures|Broken|Corpus)/")
CODE = {".swift", ".c", ".h", ".proto", ".sh", ".py", ".yaml", ".yml"}
TEXT = CODE | {".md", ".service", ".svg", ".json", ".toml", ".txt", ".modulemap", ""}


class Tidy:
    """One run of the rules over a tree."""

    def __init__(self, root):
        self.root = Path(root).resolve()
        self.findings = []
        self.file_count = 0
        manifest = self.root / "Package.swift"
        self.rooms = manifest_rooms(manifest.read_text()) if manifest.exists() else {}
        self.used_doors = {}

    def find(self, path, line, rule, message):
        self.findings.append((str(path), line, rule, message))

    def files(self):
        """Tracked files and new ones that are not ignored, as paths relative to the root."""
        command = ["git", "-C", str(self.root), "ls-files", "-z", "-co", "--exclude-standard"]
        listed = subprocess.run(command, capture_output=True, check=False)
        if listed.returncode == 0:
            names = sorted(set(listed.stdout.decode().split("\0")) - {""})
        else:
            names = sorted(
                str(path.relative_to(self.root))
                for path in self.root.rglob("*")
                if not any(part.startswith(".build") or part == ".git" for part in path.relative_to(self.root).parts)
            )
        return [name for name in names if (self.root / name).is_file()]

    def run(self):
        for name in self.files():
            self.file_count += 1
            self.check_file(name)
        self.check_rooms()
        self.findings.sort()
        return self.findings

    def check_file(self, name):
        path = self.root / name
        self.check_place(name, path)
        if Path(name).suffix not in TEXT or GENERATED.search(name) or FIXTURE.search(name):
            return
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            self.find(name, 1, "utf-8", f"byte {error.start} is not UTF-8")
            return
        self.check_text(name, text)
        suffix = Path(name).suffix
        if suffix in CODE or text.startswith("#!"):
            self.check_header(name, text)
        if suffix == ".swift":
            self.check_swift(name, text)
        elif suffix in {".c", ".h"}:
            self.check_lengths(name, text, c_functions(code_only(text)))
        elif suffix == ".py":
            self.check_python(name, text)
        elif suffix == ".md":
            self.check_links(name, text)

    def check_place(self, name, path):
        first = name.split("/")[0]
        if first not in TOP_LEVEL:
            self.find(name, 1, "place", f"'{first}' is not one of the top-level files and folders")
        size = path.stat().st_size
        if size > FILE_BYTES_MAX:
            self.find(name, 1, "size", f"{size} bytes; at most {FILE_BYTES_MAX} belong into the repository")
        words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", Path(name).stem)
        for word in words:
            if word.lower() in BANNED_NAMES and Path(name).suffix in CODE and not GENERATED.search(name):
                self.find(name, 1, "name", f"'{word}' in a file's name says nothing; name the file after its main type")

    def check_text(self, name, text):
        if text.startswith("#!") and not os.access(self.root / name, os.X_OK):
            self.find(name, 1, "executable", "begins with #! but is not executable")
        own = name.startswith("Tests/Tidy/")
        for number, line in enumerate(text.split("\n"), 1):
            wide = Path(name).suffix in CODE or Path(name).name == "Makefile"
            if wide and len(line) > COLUMNS_MAX and "http" not in line:
                self.find(name, number, "columns", f"{len(line)} columns; at most {COLUMNS_MAX}")
            if own or name == "LICENSE":
                continue
            word = BANNED_WORDS.search(line)
            if word:
                self.find(name, number, "word", f"'{word.group()}': finish it, or write TODO (#issue)")
            place = MACHINE_PATH.search(line)
            if place:
                self.find(name, number, "machine-path", f"'{place.group()}' exists on one machine only")

    def check_header(self, name, text):
        lines = text.split("\n")
        at = 0
        if lines[0].startswith("#!"):
            at = 1
        elif lines[0].startswith("// swift-tools-version"):
            at = 2
        head = lines[at : at + 2]
        if len(head) < 2 or COPYRIGHT not in head[0] or LICENCE not in head[1]:
            self.find(name, at + 1, "header", f"begin with two comment lines: {COPYRIGHT}; {LICENCE}")

    def check_lengths(self, name, text, functions):
        lines = text.count("\n")
        if lines > FILE_LINES_MAX and name.startswith("Sources/"):
            self.find(name, 1, "file-length", f"{lines} lines; at most {FILE_LINES_MAX}")
        for function in functions:
            if function.line_count > FUNCTION_LINES_MAX:
                message = f"{function.name} has {function.line_count} lines; at most {FUNCTION_LINES_MAX}"
                self.find(name, function.line, "function-length", message)

    def check_python(self, name, text):
        try:
            self.check_lengths(name, text, python_functions(text))
        except SyntaxError as error:
            self.find(name, error.lineno or 1, "syntax", error.msg)

    def check_links(self, name, text):
        bare = re.sub(r"```.*?```", lambda block: re.sub(r"[^\n]", " ", block.group()), text, flags=re.DOTALL)
        for match in re.finditer(r"\[[^\]]*\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"", bare):
            target = (match.group(1) or match.group(2)).split("#")[0]
            if target and not re.match(r"[a-z]+:", target) and not (self.root / name).parent.joinpath(target).exists():
                self.find(name, line_of(bare, match.start()), "link", f"'{target}' does not exist")

    def check_swift(self, name, text):
        code = code_only(text)
        self.check_lengths(name, text, swift_functions(code))
        parts = name.split("/")
        if len(parts) < 3 or parts[0] not in {"Sources", "Tests"}:
            return
        room = parts[1]
        self.check_imports(name, room, code)
        if parts[0] == "Sources":
            self.check_documentation(name, text, code)
            self.check_doors(name, room, text, code)

    def check_imports(self, name, room, code):
        declared = self.rooms.get(room)
        for match in IMPORT.finditer(code):
            module, line = match.group(1), line_of(code, match.start(1))
            self.used_doors.setdefault(room, set()).add(module)
            if room in PURE and module in {"Foundation", "FoundationEssentials", "Dispatch", "Synchronization"}:
                self.find(name, line, "pure", f"a pure room does not import {module}")
            known = module in self.rooms or any(module in other.doors for other in self.rooms.values())
            if declared and known and module != room and module not in declared.doors:
                self.find(name, line, "door", f"Package.swift gives {room} no door to {module}")

    def check_doors(self, name, room, text, code):
        """What a line may touch, by the room it stands in."""
        if room in PURE:
            for pattern, message in WORLD_IN_PURE_ROOM:
                self.find_all(name, code, pattern, "pure", message)
        if room not in ASYNC and room not in PURE:
            self.find_all(name, code, re.compile(r"\bawait\b"), "async", f"{room} does not wait")
        if room not in STANDARD_OUTPUT:
            self.find_all(name, code, PRINT, "stdout", "only TributaryCommands writes to standard output")
        if not self.may_hold_pointers(room):
            message = f"unsafe pointers stay where C is called or bytes are viewed, not in {room}"
            self.find_all(name, code, UNSAFE, "unsafe", message)
        self.find_all(name, code, BARE_TASK, "task", "no bare Task: children live in task groups")
        lines = text.split("\n")
        for match in re.finditer(r"@unchecked\s+Sendable", code):
            line = line_of(code, match.start())
            if not any("//" in above for above in lines[max(0, line - 5) : line]):
                self.find(name, line, "unchecked", "say in a comment why this is safe to send")

    def may_hold_pointers(self, room):
        declared = self.rooms.get(room)
        return declared is None or room in VIEWS_BYTES or any(re.match(r"C[A-Z]", door) for door in declared.doors)

    def find_all(self, name, code, pattern, rule, message):
        for match in pattern.finditer(code):
            self.find(name, line_of(code, match.start()), rule, message)

    def check_documentation(self, name, text, code):
        lines = text.split("\n")
        for match in DECLARATION.finditer(code):
            operator = match.group("kind") == "func" and not re.match(r"[\w`]", match.group("name"))
            if operator or match.group("name") in WITNESSES or "override" in match.group("modifiers"):
                continue
            line = line_of(code, match.end("kind"))
            abstract = self.abstract_above(lines, line - 1)
            indented = match.group(0)[0] in " \t"
            # A stored property may speak through its name and type.
            stored = match.group("kind") in {"var", "let"} and indented and "static" not in match.group("modifiers")
            if abstract is None and not stored:
                what = f"{match.group('kind')} {match.group('name')}"
                self.find(name, line, "documentation", f"{what} has no /// line")
            elif abstract and len(abstract) > ABSTRACT_CHARACTERS_MAX:
                message = f"the first sentence has {len(abstract)} characters; at most {ABSTRACT_CHARACTERS_MAX}"
                self.find(name, line, "documentation", message)

    @staticmethod
    def abstract_above(lines, index):
        """The first sentence of the documentation that ends above a line, or None."""
        at = index - 1
        while at >= 0 and re.match(r"\s*(@|#if|#else|#endif)", lines[at]):
            at -= 1
        block = []
        while at >= 0 and lines[at].strip().startswith("///"):
            block.insert(0, lines[at].strip()[3:].strip())
            at -= 1
        if not block:
            return None
        paragraph = " ".join(block).split("  ")[0] if "" not in block else " ".join(block[: block.index("")])
        return re.split(r"(?<=[.!?])\s", paragraph)[0]

    def check_rooms(self):
        for room in self.rooms.values():
            if room.kind in {"systemLibrary", "target"}:
                continue
            self.check_order(room)
            if room.kind == "room":
                self.check_opening(room)

    def check_order(self, room):
        used = self.used_doors.get(room.name, set())
        for door in room.doors:
            other = self.rooms.get(door)
            if other and other.position > room.position:
                message = f"{room.name} stands above {door}: arrows run to rooms listed earlier"
                self.find("Package.swift", room.line, "order", message)
            is_impure = room.name in PURE and door not in PURE | PURE_DOORS
            if (room.name, door) in NEVER or (is_impure and (room.name, door) not in PURE_EXCEPTIONS):
                self.find("Package.swift", room.line, "never", f"{room.name} must not see {door}")
        unused = [door for door in room.doors if used and door not in used]
        if unused and room.kind == "room":
            self.find("Package.swift", room.line, "door", f"{room.name} never uses its doors: {', '.join(unused)}")

    def check_opening(self, room):
        name = f"Sources/{room.name}/{room.name}.swift"
        path = self.root / name
        if not path.exists():
            self.find(name, 1, "opening", f"say in this file what {room.name} is and what it may touch")
            return
        rest = path.read_text().split("\n")[2:]
        first = next((line for line in rest if line.strip()), "")
        if not first.startswith("//") or "The room is described here" in first:
            self.find(name, 3, "opening", "open with a comment: what the room is and what it may touch")


def main(arguments):
    root = arguments[0] if arguments else Path(__file__).resolve().parents[2]
    tidy = Tidy(root)
    for path, line, rule, message in tidy.run():
        print(f"{path}:{line}: {rule}: {message}")
    print(f"tidy: {tidy.file_count} files, {len(tidy.findings)} findings", file=sys.stderr)
    return 1 if tidy.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
