// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// What schedulers tell a process about its place.
//
// Slurm: https://slurm.schedmd.com/sbatch.html#SECTION_OUTPUT-ENVIRONMENT-VARIABLES and job_array.html; Kubernetes:
// https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode, which gives an index but no count.

extension FleetShard {
    /// The variable by which a Kubernetes job says how many completions it has.
    package static let countVariable = "TRIBUTARY_SHARD_COUNT"

    /// Reads a process's share from its scheduler's variables.
    ///
    /// In order: a Slurm job array (times the tasks of a step, when `srun` starts several in each array task), the
    /// tasks of a Slurm job, a Kubernetes indexed job.
    /// - Parameter variable: looks a variable of the environment up.
    /// - Returns: the share and the variable that tells it; `nil` when there is none.
    /// - Throws: `FleetShardError` when variables are there and make no sense.
    package static func scheduled(
        _ variable: (String) -> String?
    ) throws(FleetShardError) -> (shard: FleetShard, source: String)? {
        if variable("SLURM_ARRAY_TASK_ID") != nil {
            let array = try slurmArray(variable)
            // Without a step, the job's script itself runs: one process for each array task.
            guard variable("SLURM_STEP_ID") != nil, let tasks = try slurmTasks(variable), tasks.count > 1 else {
                return (array, "SLURM_ARRAY_TASK_ID")
            }
            let shard = try FleetShard(
                index: array.index * tasks.count + tasks.index, count: array.count * tasks.count)
            return (shard, "SLURM_ARRAY_TASK_ID and SLURM_PROCID")
        }
        if let shard = try slurmTasks(variable) { return (shard, "SLURM_PROCID") }
        guard let text = variable("JOB_COMPLETION_INDEX") else { return nil }
        let index = try number("JOB_COMPLETION_INDEX", text)
        let count = try number(countVariable, beside: "JOB_COMPLETION_INDEX", variable)
        return (try FleetShard(index: index, count: count), "JOB_COMPLETION_INDEX")
    }

    private static func slurmArray(_ variable: (String) -> String?) throws(FleetShardError) -> FleetShard {
        let name = "SLURM_ARRAY_TASK_ID"
        let task = try number(name, beside: name, variable)
        let first = try number("SLURM_ARRAY_TASK_MIN", beside: name, variable)
        let count = try number("SLURM_ARRAY_TASK_COUNT", beside: name, variable)
        let step = try variable("SLURM_ARRAY_TASK_STEP").map { text throws(FleetShardError) in
            try number("SLURM_ARRAY_TASK_STEP", text)
        }
        let last = try variable("SLURM_ARRAY_TASK_MAX").map { text throws(FleetShardError) in
            try number("SLURM_ARRAY_TASK_MAX", text)
        }
        // A list such as 1,5,6 has a step of 1 and less tasks than its ends say.
        let stride = max(1, step ?? 1)
        let isEven = task >= first && (task - first) % stride == 0
        let isFull = last.map { $0 >= first && count > 0 && ($0 - first) / stride == count - 1 } ?? true
        guard isEven, isFull else {
            throw .unevenArray(first: first, last: last ?? task, step: stride, count: count)
        }
        return try FleetShard(index: (task - first) / stride, count: count)
    }

    private static func slurmTasks(_ variable: (String) -> String?) throws(FleetShardError) -> FleetShard? {
        // A batch script has a process number too, but a number of tasks only when it asked for one.
        guard variable("SLURM_PROCID") != nil, variable("SLURM_NTASKS") != nil else { return nil }
        let index = try number("SLURM_PROCID", beside: "SLURM_NTASKS", variable)
        return try FleetShard(index: index, count: number("SLURM_NTASKS", beside: "SLURM_PROCID", variable))
    }

    private static func number(
        _ name: String, beside other: String, _ variable: (String) -> String?
    ) throws(FleetShardError) -> UInt64 {
        guard let text = variable(name) else { throw .variable(name: name, value: nil, beside: other) }
        return try number(name, text)
    }

    private static func number(_ name: String, _ text: String) throws(FleetShardError) -> UInt64 {
        guard let value = UInt64(digits: text) else { throw .variable(name: name, value: text, beside: name) }
        return value
    }
}
