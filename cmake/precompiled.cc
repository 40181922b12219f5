// SPDX-License-Identifier: Apache-2.0
// Nothing of its own: the target cordon_pch needs a source to precompile its headers for.
