// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Which model a federation trains; its input shape and class count come from the data.
package enum ModelSpecification: Hashable, Sendable {
    /// Multinomial logistic regression: one dense layer and softmax cross-entropy.
    case linear
    /// Dense layers of the given widths with ReLU, then a dense output layer; widths are at least 1.
    case mlp(hidden: [Int])
    /// Convolution blocks (same padding, ReLU, max-pool 2x2), then dense layers of the given widths, then the output.
    case cnn(blocks: [ConvolutionBlock], hidden: [Int])
}

/// One convolution block of a CNN: square kernel, stride 1, same padding, ReLU, 2x2 max-pool with stride 2.
package struct ConvolutionBlock: Hashable, Sendable {
    /// Output channels, at least 1.
    package var channels: Int
    /// The kernel's edge, odd, in 1...11.
    package var kernel: Int
    package init(channels: Int, kernel: Int) {
        self.channels = channels
        self.kernel = kernel
    }
}
