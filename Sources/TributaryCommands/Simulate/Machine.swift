// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryFiles

/// What this machine has, and what this process uses of it.
enum Machine {
    static var processorCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// Memory that can be taken without swapping: what the kernel says, or what the control group leaves.
    static func availableByteCount() -> UInt64 {
        let system = field("MemAvailable:", in: "/proc/meminfo").map { $0 << 10 } ?? .max
        guard let limit = number(in: "/sys/fs/cgroup/memory.max"),
            let used = number(in: "/sys/fs/cgroup/memory.current")
        else { return system }
        return min(system, limit > used ? limit - used : 0)
    }

    /// The resident memory of this process, and the most that it ever was.
    static func residentByteCount() -> UInt64 { (field("VmRSS:", in: "/proc/self/status") ?? 0) << 10 }
    static func peakResidentByteCount() -> UInt64 { (field("VmHWM:", in: "/proc/self/status") ?? 0) << 10 }

    private static func field(_ name: String, in path: String) -> UInt64? {
        guard let text = text(path), let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) })
        else { return nil }
        return line.split(separator: " ").dropFirst().first.flatMap { UInt64($0) }
    }

    private static func number(in path: String) -> UInt64? {
        text(path)?.split(separator: "\n").first.flatMap { UInt64($0) }
    }

    private static func text(_ path: String) -> String? {
        (try? SmallFile.read(path, byteCountMax: 64 << 10)).map { String(decoding: $0, as: UTF8.self) }
    }
}
