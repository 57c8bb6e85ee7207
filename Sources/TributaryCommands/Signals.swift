// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import TributaryClient

/// Turns SIGTERM and Ctrl-C into a request for a clean end; the second one ends the process at once.
enum Signals {
    /// Call before any thread is started: threads inherit that these signals are taken here alone.
    static func endCleanly(_ shutdown: Shutdown) {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        sigaddset(&set, SIGHUP)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        DispatchQueue(label: "signals").async { [set] in
            var set = set
            var taken: Int32 = 0
            while sigwait(&set, &taken) == 0 {
                if shutdown.isRequested { _exit(128 + taken) }
                shutdown.request()
            }
        }
    }

    /// Ends the process cleanly when its standard input ends: when whoever started it is gone.
    ///
    /// With `isSecondAtOnce` that ends a process at once which has been asked before.
    static func endWithStandardInput(_ shutdown: Shutdown, isSecondAtOnce: Bool = false) {
        DispatchQueue(label: "standard input").async {
            var byte: UInt8 = 0
            while read(0, &byte, 1) > 0 {}
            if isSecondAtOnce, shutdown.isRequested { _exit(128 + SIGHUP) }
            shutdown.request()
        }
    }
}
