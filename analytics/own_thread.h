// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace cordon {

// OpenCV's calls of this process run on the thread that makes them, from now on. The small pictures
// of the built-in analysis are done sooner than helpers are woken, and a node's cores have cameras of
// their own; a detection network may want the helpers. Call it before threads are started.
void KeepToCallingThread();

}  // namespace cordon
