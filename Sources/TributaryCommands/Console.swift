// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The process's standard streams, written whole lines at a time.
enum Console {
    /// Prints a line of results.
    static func out(_ line: String) { write(line + "\n", to: 1) }

    /// Prints a line for people beside the results.
    static func log(_ line: String) { write(line + "\n", to: 2) }

    /// Writes for people without a line end, for a line that is written over again.
    static func status(_ text: String) { write(text, to: 2) }

    /// Whether people watch standard error.
    static var isTerminal: Bool { isatty(2) == 1 }

    /// Whether people want colours there: a terminal, and neither NO_COLOR (https://no-color.org) nor a dumb one.
    static var usesColour: Bool {
        guard isTerminal, let terminal = getenv("TERM"), String(cString: terminal) != "dumb" else { return false }
        guard let value = getenv("NO_COLOR") else { return true }
        return value.pointee == 0
    }

    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var start = 0
        while start < bytes.count {
            let count = Glibc.write(descriptor, Array(bytes[start...]), bytes.count - start)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            start += count
        }
    }
}
