// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace cordon::cli {

// What a long-running process gives up for good before it opens anything: new privileges, core
// dumps (they would hold passwords and pictures), and files readable by others. The systemd units
// in deploy/ take away much more; this holds without them too.
void HardenProcess();

}  // namespace cordon::cli
