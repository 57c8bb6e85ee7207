// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// libzmq, plus the Linux calls that the Glibc module leaves out (they wait for several sockets, and wake that wait).
#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <zmq.h>
