// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// How a process ends; few and stable.
package enum CommandExit: Int32, Sendable {
    case ok = 0
    case failed = 1
    /// `plan` found changes.
    case changes = 2
    /// The command line itself is wrong.
    case usage = 64
    /// Somebody cannot be reached.
    case unreachable = 69
    /// A fault of this program.
    case fault = 70
    /// It may work later.
    case tryLater = 75
    case notPermitted = 77
    /// A file says something that cannot be.
    case configuration = 78
}

/// Why a verb failed: a stable code for scripts, words for people, and what to do.
package struct CommandError: Error, Sendable, CustomStringConvertible {
    /// Lower-case words with dots, like `topology.unknown_key`.
    package var code: String
    package var message: String
    /// What to do next.
    package var hint: String?
    /// `file:line:column`, a path or an address.
    package var at: String?
    package var exit: CommandExit
    /// All errors, when there are several; the fields above tell the first.
    package var all: [CommandError]

    package init(
        _ code: String, _ message: String, hint: String? = nil, at: String? = nil, exit: CommandExit = .failed,
        all: [CommandError] = []
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.at = at
        self.exit = exit
        self.all = all
    }

    package var description: String { at.map { "\($0): \(message)" } ?? message }
}
