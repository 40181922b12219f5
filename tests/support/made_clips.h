// SPDX-License-Identifier: Apache-2.0
// Clips made at test time by the ffmpeg program, so that the tests have substance without shared
// data.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/support/test_data.h"

namespace cordon::testing {

// Runs `ffmpeg -y ARGUMENTS OUTPUT` quietly. False when it failed.
inline bool RunFfmpeg(const std::string& arguments, const std::string& output) {
  const std::string command =
      "ffmpeg -nostdin -hide_banner -loglevel error -y " + arguments + " '" + output + "'";
  return std::system(command.c_str()) == 0;
}

// A moving test picture: H.264, `seconds` long, without B frames, key frame every `gop` pictures.
// The name chooses the container.
inline std::string MakeClip(const TemporaryFolder& folder, const std::string& name, int width = 320,
                            int height = 240, int fps = 25, double seconds = 2, int gop = 25,
                            const std::string& more = "") {
  const std::string path = folder.File(name);
  const std::string source = "-f lavfi -i testsrc=size=" + std::to_string(width) + "x" +
                             std::to_string(height) + ":rate=" + std::to_string(fps) +
                             ":duration=" + std::to_string(seconds);
  const bool made = RunFfmpeg(
      source + " -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 0 -g " + std::to_string(gop) +
          " -keyint_min " + std::to_string(gop) + " -sc_threshold 0 " + more,
      path);
  EXPECT_TRUE(made) << "ffmpeg could not make " << path;
  return path;
}

}  // namespace cordon::testing
