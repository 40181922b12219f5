// SPDX-License-Identifier: Apache-2.0
#pragma once

// Before the definition of a function whose loops run over pixels: it is compiled twice, for every
// x86-64 and for those with AVX2, and the loader takes the right one. Both give the same results:
// AVX2 does not fuse multiplications with additions. Not with sanitizers, whose runtime is not there
// yet when the loader chooses, and not with other compilers or processors.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CORDON_VECTORISED __attribute__((target_clones("avx2", "default")))
#else
#define CORDON_VECTORISED
#endif
