// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What stdout and stderr are connected to.
package enum Terminal {
    /// Whether a person looks at the descriptor.
    package static func isInteractive(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Whether colours are wanted there: a terminal, and neither NO_COLOR (https://no-color.org) nor a dumb one.
    package static func usesColour(_ descriptor: Int32) -> Bool {
        guard isInteractive(descriptor) else { return false }
        if let value = getenv("NO_COLOR"), value.pointee != 0 { return false }
        guard let terminal = getenv("TERM") else { return false }
        return String(cString: terminal) != "dumb"
    }

    /// The columns of the terminal at the descriptor; `nil` where none is known.
    package static func width(_ descriptor: Int32) -> Int? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Writes text in full; a reader that went away is not an error.
    package static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                written += count
            } else if errno != EINTR {
                return
            }
        }
    }
}
