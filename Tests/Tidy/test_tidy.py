#!/usr/bin/env python3
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Shows that each tidy rule can fail: a clean little tree, then one offence at a time."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from source import code_only, swift_functions
from tidy import Tidy

HEADER = "// Copyright (c) 2026 the Tributary authors\n// SPDX-License-Identifier: Apache-2.0\n"
MANIFEST = (
    "// swift-tools-version: 6.2\n//\n"
    + HEADER
    + """
let package = Package(
    targets: [
        .systemLibrary(name: "CZeroMQ"),
        .target(name: "CTributaryKernels"),
        room("TributaryRing", ["CTributaryKernels"]),
        room("TributaryCore", ["TributaryRing"]),
        room("TributaryProtocol", ["TributaryCore"]),
        room("TributaryBus", [
            "TributaryCore", // why
            "CZeroMQ",
        ]),
        tests("TributaryCoreTests", ["TributaryCore"]),
    ]
)
"""
)
CLEAN = {
    "Package.swift": MANIFEST,
    "Sources/TributaryRing/TributaryRing.swift": HEADER + "\n// The ring.\n\nimport CTributaryKernels\n",
    "Sources/TributaryCore/TributaryCore.swift": HEADER + "\n// The words.\n\nimport TributaryRing\n",
    "Sources/TributaryProtocol/TributaryProtocol.swift": HEADER + "\n// The machines.\n\nimport TributaryCore\n",
    "Sources/TributaryBus/TributaryBus.swift": HEADER
    + "\n// The bus.\n\nimport CZeroMQ\npackage import TributaryCore\n",
    "README.md": "# Tree\n\n[manifest](Package.swift) and [elsewhere](https://example.org)\n",
}
CORE = "Sources/TributaryCore/Word.swift"
MACHINE = "Sources/TributaryProtocol/Word.swift"
BUS = "Sources/TributaryBus/Word.swift"


class TidyTests(unittest.TestCase):
    def findings(self, files=None, remove=(), executable=()):
        """The (path, line, rule) of what the rules say about the clean tree with these files added."""
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name, content in {**CLEAN, **(files or {})}.items():
                if name in remove:
                    continue
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
                path.chmod(0o755 if name in executable else 0o644)
            subprocess.run(["git", "-C", folder, "init", "-q"], check=True)
            return [(path, line, rule) for path, line, rule, _ in Tidy(root).run()]

    def expect(self, rule, name, content, line=None):
        found = self.findings({name: content})
        self.assertEqual([(path, kind) for path, _, kind in found], [(name, rule)], found)
        if line is not None:
            self.assertEqual(found[0][1], line)

    def test_clean_tree_has_no_findings(self):
        self.assertEqual(self.findings(), [])

    def test_header(self):
        self.expect("header", CORE, "// Copyright (c) 2020 somebody\n", 1)
        self.expect("header", "Deploy/x.sh", "echo\n", 1)
        self.expect("header", "Topologies/x.yaml", "tributary: v1\n", 1)

    def test_fixtures_and_generated_code_need_no_header(self):
        files = {
            "Tests/TributaryCoreTests/Broken/a.yaml": "a: [\n",
            "Sources/CTributaryWire/x.pb-c.c": "x" * 200 + "\n",
        }
        self.assertEqual(self.findings(files), [])

    def test_columns(self):
        self.expect("columns", CORE, HEADER + "// " + "x" * 118 + "\n", 3)
        self.assertEqual(self.findings({CORE: HEADER + "// " + "\u00b5" * 117 + "\n"}), [])

    def test_function_length(self):
        body = "        work()\n"
        good = HEADER + "struct S {\n    func f() {\n" + body * 68 + "    }\n}\n"
        self.assertEqual(self.findings({CORE: good}), [])
        self.expect("function-length", CORE, good.replace("{\n        work", "{\n        work()\n        work", 1), 4)
        c_source = HEADER + "static int f(const int *x,\n             int y) {\n" + "    y += 1;\n" * 70 + "}\n"
        self.expect("function-length", "Sources/CTributaryKernels/f.c", c_source, 3)

    def test_file_length(self):
        self.expect("file-length", CORE, HEADER + "// x\n" * 600)

    def test_names(self):
        self.expect("name", "Sources/TributaryCore/StringUtils.swift", HEADER)
        self.expect("name", "Sources/TributaryCore/RoundManager.swift", HEADER)
        self.assertEqual(self.findings({"Sources/TributaryCore/Baseline.swift": HEADER}), [])

    def test_words(self):
        self.expect("word", CORE, HEADER + "// TODO: more\n", 3)
        self.expect("word", CORE, HEADER + "// Good enough for now.\n", 3)
        self.expect("word", "README.md", "FIXME\n", 1)
        self.assertEqual(self.findings({CORE: HEADER + "// TODO (#12): more\n"}), [])

    def test_machine_paths(self):
        self.expect("machine-path", "README.md", "Look at /home/ada/tree.\n", 1)
        self.expect("machine-path", "Deploy/x.sh", HEADER.replace("//", "#") + "cd /root/tree\n", 3)
        self.assertEqual(self.findings({"README.md": "Look at https://example.org/home/ada and var/work/x.\n"}), [])

    def test_imports(self):
        self.expect("pure", CORE, HEADER + "import Foundation\n", 3)
        self.expect("door", CORE, HEADER + "import TributaryBus\n", 3)
        self.expect("door", CORE, HEADER + "@preconcurrency package import CZeroMQ\n", 3)
        self.assertEqual(self.findings({CORE: HEADER + "// import Foundation\n"}), [])

    def test_unused_door(self):
        bus = "Sources/TributaryBus/TributaryBus.swift"
        found = self.findings({bus: HEADER + "\n// The bus.\n\nimport CZeroMQ\n"})
        self.assertEqual(found, [("Package.swift", 13, "door")])

    def test_edges_that_must_never_appear(self):
        manifest = MANIFEST.replace('"TributaryProtocol", ["TributaryCore"', '"TributaryProtocol", ["TributaryBus"')
        protocol = HEADER + "\n// The machines.\n\nimport TributaryBus\n"
        found = self.findings(
            {"Package.swift": manifest, "Sources/TributaryProtocol/TributaryProtocol.swift": protocol}
        )
        self.assertEqual(found, [("Package.swift", 12, "never"), ("Package.swift", 12, "order")])

    def test_pure_rooms_do_not_touch_the_world(self):
        for line in [
            "func f() async {}",
            "let now = ContinuousClock.now",
            "var g = SystemRandomNumberGenerator()",
            "let x = Int.random(in: 0..<4)",
            "let y = list.shuffled()",
            'let h = getenv("HOME")',
        ]:
            self.expect("pure", CORE, HEADER + line + "\n", 3)
        self.assertEqual(self.findings({CORE: HEADER + 'let s = "async getenv(" // await\n'}), [])

    def test_waiting_printing_pointers_and_tasks(self):
        manifest = MANIFEST.replace(
            'tests("TributaryCoreTests"', 'room("TributaryFiles", []),\n        tests("TributaryCoreTests"'
        )
        opening = {
            "Package.swift": manifest,
            "Sources/TributaryFiles/TributaryFiles.swift": HEADER + "\n// The files.\n",
        }
        found = self.findings({**opening, "Sources/TributaryFiles/A.swift": HEADER + "let a = await b()\n"})
        self.assertEqual(found, [("Sources/TributaryFiles/A.swift", 3, "async")])
        self.expect("stdout", BUS, HEADER + 'print("x")\n', 3)
        self.expect("unsafe", MACHINE, HEADER + "let p: UnsafePointer<Int>? = nil\n", 3)
        self.assertEqual(self.findings({BUS: HEADER + "let p: UnsafePointer<Int>? = nil\n"}), [])
        self.expect("task", BUS, HEADER + "let t = Task { 1 }\n", 3)
        self.expect("task", BUS, HEADER + "let t = Task<Void, Never>.detached { 1 }\n", 3)
        self.expect("unchecked", BUS, HEADER + "\n\n\n\n\nfinal class C: @unchecked Sendable {}\n", 8)

    def test_documentation(self):
        self.expect("documentation", CORE, HEADER + "package struct S {}\n", 3)
        self.expect("documentation", CORE, HEADER + "struct S {\n    package static func f() {}\n}\n", 4)
        self.expect("documentation", CORE, HEADER + f"/// {'x ' * 50}\n/// {'x ' * 26}\npackage struct S {{}}\n", 5)
        good = HEADER + "/// A word.\n@frozen\npackage struct S {\n    package var x: Int\n    package init() {}\n}\n"
        self.assertEqual(self.findings({CORE: good}), [])

    def test_opening_comment(self):
        core = "Sources/TributaryCore/TributaryCore.swift"
        self.expect("opening", core, HEADER + "\nimport TributaryRing\n", 3)
        found = self.findings({CORE: HEADER + "import TributaryRing\n"}, remove={core})
        self.assertEqual(found, [(core, 1, "opening")])

    def test_places_sizes_links_and_modes(self):
        self.expect("place", "scripts/x.md", "x\n", 1)
        self.expect("size", "Documentation/x.png", b"x" * ((1 << 20) + 1))
        self.expect("link", "README.md", "see\n[this](Missing.md)\n", 2)
        self.expect("executable", "Deploy/x.sh", "#!/bin/sh\n" + HEADER.replace("//", "#"), 1)
        self.expect("utf-8", CORE, HEADER.encode() + b"\xff\n", 1)
        shell = {"Deploy/x.sh": "#!/bin/sh\n" + HEADER.replace("//", "#")}
        self.assertEqual(self.findings(shell, executable={"Deploy/x.sh"}), [])


class SourceTests(unittest.TestCase):
    def test_code_only_keeps_length_and_lines(self):
        source = 'a /* b /* c */ d */ e "f // g" h // i\n#"j " k"# l """\nm {\n""" n\n'
        code = code_only(source)
        self.assertEqual(len(code), len(source))
        self.assertEqual(code.count("\n"), source.count("\n"))
        self.assertEqual(code.split(), ["a", "e", "h", "l", "n"])

    def test_swift_functions_skip_requirements_and_calls(self):
        code = (
            "protocol P {\n    func a() -> Int\n    init(x: Int)\n    var b: Int { get }\n}\n"
            "struct S {\n    init?(x: Int) {\n        self.init(y: x)\n    }\n"
            "    func c<T>(f: (T) -> Void = { _ in }) async throws(E) -> [T] where T: P {\n        d()\n    }\n}\n"
        )
        found = [(function.name, function.line, function.line_count) for function in swift_functions(code)]
        self.assertEqual(found, [("init", 7, 3), ("c", 10, 3)])


if __name__ == "__main__":
    unittest.main()
