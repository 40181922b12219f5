// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

int main(int argc, char** argv) {
  using namespace cordon::cli;
  CLI::App app{"Cordon: video events in, patrol response circles out"};
  app.name("cordon");
  app.require_subcommand(1);
  app.failure_message(UsageText);
  LogOptions log;
  AddLogOptions(app, log);
  Outcome outcome;
  // One line for each command, in the order of --help.
  RegisterRun(app, log, outcome);
  RegisterDispatch(app, log, outcome);
  RegisterNode(app, log, outcome);
  RegisterReplay(app, outcome);
  RegisterBacktest(app, outcome);
  RegisterCalibrate(app, outcome);
  RegisterCheck(app, outcome);
  RegisterDoctor(app, outcome);
  RegisterCameras(app, outcome);
  RegisterEvents(app, outcome);
  RegisterDeletions(app, outcome);
  RegisterKeys(app, outcome);
  RegisterSimulate(app, outcome);
  RegisterRoads(app, outcome);
  RegisterCoverage(app, outcome);
  RegisterContain(app, outcome);
  RegisterPlaceUnits(app, outcome);
  RegisterMatch(app, outcome);
  RegisterCircles(app, outcome);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : kExitBadInput;
  }
  return outcome.exit_code;
}
