// SPDX-License-Identifier: Apache-2.0
// A site with real RTSP cameras, its node and its dispatcher with the console, in this process.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "cli/dispatch_service.h"
#include "cli/node_service.h"
#include "cli/site.h"
#include "tests/integration/ingest/rtsp_server.h"
#include "tests/support/eventually.h"
#include "tests/support/made_clips.h"

namespace cordon::testing {

// One camera of the site: where it sends from, and more lines of its entry.
struct LiveCamera {
  std::string id;
  std::string url;
  std::string more;  // "    masks: [...]\n"
};

class LiveSite {
 public:
  // Life: made, Start, destroyed. `page`: folder of the built page; empty: none.
  LiveSite(const std::vector<LiveCamera>& cameras, const std::string& page = "") {
    std::ofstream file(folder_.File("site.yaml"));
    file << "id: test\nname: Live test\ndata_dir: " << folder_.File("data")
         << "\nconsole:\n  listen: 127.0.0.1:0\n";
    if (!page.empty()) file << "  web_root: " << page << "\n";
    file << "dispatch:\n  roads: demo\ncameras:\n";
    for (const LiveCamera& camera : cameras)
      file << "  - id: " << camera.id << "\n    name: Camera " << camera.id
           << "\n    url: " << camera.url
           << "\n    lat: 34.0\n    lon: 113.0\n    purpose: test\n    retention_hours: 1\n"
           << "    analysis_fps: 5\n" << camera.more;
  }

  absl::Status Start() {
    ASSIGN_OR_RETURN(site_, cli::LoadSite(folder_.File("site.yaml")));
    ASSIGN_OR_RETURN(dispatch_, cli::DispatchService::Start(site_, SystemClock(), {}));
    return StartNode();
  }
  absl::Status StartNode() {
    ASSIGN_OR_RETURN(node_, cli::NodeService::Start(site_, site_.nodes(0), SystemClock()));
    return absl::OkStatus();
  }
  void StopNode() { node_.reset(); }

  const std::string& url() const { return dispatch_->url(); }
  uint16_t port() const {
    return static_cast<uint16_t>(std::stoi(url().substr(url().rfind(':') + 1)));
  }
  const TemporaryFolder& folder() const { return folder_; }

 private:
  TemporaryFolder folder_;
  proto::Site site_;
  std::unique_ptr<cli::DispatchService> dispatch_;
  std::unique_ptr<cli::NodeService> node_;
};

}  // namespace cordon::testing
