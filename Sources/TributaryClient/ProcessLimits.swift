// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryFiles

/// What the system lets this process have.
package enum ProcessLimits {
    /// The cores that this process may run on, fewer than the machine's when a scheduler says so; at least 1.
    package static var coreCount: Int {
        let status = (try? SmallFile.read("/proc/self/status", byteCountMax: 64 * 1024)) ?? []
        return coreCount(inStatus: String(decoding: status, as: UTF8.self))
            ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    /// Counts the cores in the mask `Cpus_allowed` of /proc/PID/status (proc(5)); `nil` when there is none.
    static func coreCount(inStatus status: String) -> Int? {
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed:") }) else {
            return nil
        }
        let count = line.dropFirst("Cpus_allowed:".count).reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
        return count > 0 ? count : nil
    }

    /// Raises the soft limit of open files when `count` more do not fit and the hard limit has room.
    ///
    /// - Throws: `ProcessLimitsError.openFiles` when it has not.
    package static func makeRoom(forOpenFiles count: Int) throws(ProcessLimitsError) {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return }
        let needed = rlim_t(count) + openFileReserve
        guard limit.rlim_cur < needed else { return }
        let allowed = limit.rlim_max
        guard allowed >= needed else { throw .openFiles(needed: UInt64(needed), allowed: UInt64(allowed)) }
        limit.rlim_cur = needed
        guard setrlimit(resource, &limit) == 0 else {
            throw .openFiles(needed: UInt64(needed), allowed: UInt64(limit.rlim_cur))
        }
    }

    /// Descriptors of a process beside its links: standard streams, libzmq's own, objects that come, go and are mapped.
    private static let openFileReserve: rlim_t = 192
}

/// What the system does not let this process have.
package enum ProcessLimitsError: Error, Equatable, CustomStringConvertible {
    case openFiles(needed: UInt64, allowed: UInt64)

    package var description: String {
        switch self {
        case .openFiles(let needed, let allowed):
            "\(needed) open files are needed here and \(allowed) are allowed; "
                + "host fewer devices in this process, or raise the limit (ulimit -Hn, LimitNOFILE)"
        }
    }
}
