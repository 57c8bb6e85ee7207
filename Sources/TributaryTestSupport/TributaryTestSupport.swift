// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// What several rooms' tests need: seeded generators of values, and the numbers of independent implementations.
//
// Tests only. It may read the files under Tests/Oracles.
