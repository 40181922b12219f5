// SPDX-License-Identifier: Apache-2.0
#include "cli/harden.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/check.h"

namespace cordon::cli {

void HardenProcess() {
  CORDON_CHECK(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "every kernel since 3.5 knows it");
  const rlimit none{0, 0};
  CORDON_CHECK(::setrlimit(RLIMIT_CORE, &none) == 0, "a limit can always be lowered");
  ::umask(0077);
  ::signal(SIGPIPE,
           SIG_IGN);  // a peer that went away is an error of its socket, not the end of the process
}

}  // namespace cordon::cli
